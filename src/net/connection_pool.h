// Kept client connections by origin, and the count of those in use. Shared by the exchanges of a
// Client and by the timers that end idle connections. Any thread; a connection is only handed to
// coroutines of the io_context that it was made on, since its socket lives there.
#pragma once

#include "base/error.h"
#include "base/mutex.h"
#include "net/transport.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <string>

namespace binnacle::net {

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(size_t max_idle_per_host, size_t max_in_use_per_host,
                 std::chrono::milliseconds idle_timeout);
  ~ConnectionPool();

  // One connection in use; counts until it is destroyed.
  class Lease {
   public:
    Lease(std::shared_ptr<ConnectionPool> pool, std::string origin)
        : pool_(std::move(pool)), origin_(std::move(origin)) {}
    ~Lease() { pool_->leave(origin_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // A kept connection of the origin that still looks alive; null: dial.
    std::unique_ptr<Transport> take(const boost::asio::any_io_executor& executor) {
      return pool_->take(origin_, executor);
    }
    void keep(std::unique_ptr<Transport> transport) { pool_->keep(origin_, std::move(transport)); }

   private:
    const std::shared_ptr<ConnectionPool> pool_;
    const std::string origin_;
  };
  // kResourceExhausted when as many are in use as may be.
  Result<std::unique_ptr<Lease>> enter(const std::string& origin) EXCLUDES(mu_);

 private:
  struct Kept {
    uint64_t id = 0;
    std::unique_ptr<Transport> transport;
    std::unique_ptr<boost::asio::steady_timer> idle_timer;
  };
  struct Origin {
    size_t in_use = 0;
    std::list<Kept> kept;  // the last one kept is the first to be used again
  };

  void leave(const std::string& origin) EXCLUDES(mu_);
  std::unique_ptr<Transport> take(const std::string& origin,
                                  const boost::asio::any_io_executor& executor) EXCLUDES(mu_);
  void keep(const std::string& origin, std::unique_ptr<Transport> transport) EXCLUDES(mu_);
  void end_idle(const std::string& origin, uint64_t id) EXCLUDES(mu_);

  // Fixed after construction
  const size_t max_idle_per_host_;
  const size_t max_in_use_per_host_;
  const std::chrono::milliseconds idle_timeout_;

  Mutex mu_;
  uint64_t next_id_ GUARDED_BY(mu_) = 0;
  std::map<std::string, Origin> origins_
      GUARDED_BY(mu_);  // none that has neither kept nor used connections
};

}  // namespace binnacle::net
