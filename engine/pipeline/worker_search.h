// Asks Binnacle's server again and again which workers there are. start() and stop() by the owner;
// `found` is called on the I/O thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "engine/pipeline/node_link.h"
#include "net/background_loop.h"
#include "net/client.h"
#include "net/io_threads.h"

namespace binnacle::engine {

// The addresses of workers that are up in an answer of the nodes API. kDataLoss: it is none.
Result<std::vector<std::string>> worker_addresses(const std::string& nodes_json);

class WorkerSearch {
 public:
  // With the key of `link`, which outlives it.
  WorkerSearch(std::string server_url, const NodeLink& link, FileSystem& files, net::IoThreads& io,
               Registry& registry);

  using Found = std::function<void(std::vector<std::string> grpc_addresses)>;
  void start(Found found);
  void stop() { loop_.stop(); }

 private:
  boost::asio::awaitable<void> look(Found found);

  const std::string server_url_;
  const NodeLink& link_;
  Counter& failures_;
  net::Client client_;
  net::BackgroundLoop loop_;  // last: it uses the others
};

}  // namespace binnacle::engine
