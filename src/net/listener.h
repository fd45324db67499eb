// One listening socket of a server: binds at once, then accepts on one I/O thread and hands
// connections to all shards in turn. (One socket per thread by SO_REUSEPORT would let a second
// server bind the same port unseen.)
#pragma once

#include "base/error.h"
#include "net/http_connection.h"
#include "net/server.h"
#include "net/shard.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace binnacle::net {

class Listener {
 public:
  // Binds. kFailedPrecondition: the address is taken; the message names it and, where known, by
  // whom.
  static Result<std::shared_ptr<Listener>> open(boost::asio::io_context& context,
                                                const ListenerOptions& options);
  virtual ~Listener() = default;

  virtual std::string address() const = 0;  // "127.0.0.1:43121", "unix:/path"
  // `home` is the shard on the listener's own context.
  virtual void start(std::shared_ptr<Shard> home, std::vector<std::shared_ptr<Shard>> shards) = 0;
  virtual void close() = 0;  // on its own context, or before start()
};

}  // namespace binnacle::net
