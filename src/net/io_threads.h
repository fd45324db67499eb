// The threads that run sockets and timers. Each has an io_context of its own; a connection lives on
// one of them for its whole life, so that its state needs no lock.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace binnacle::net {

class IoThreads {
 public:
  explicit IoThreads(size_t threads);
  ~IoThreads();  // stop()
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  void start();
  void stop();  // ends the loops; pending work is dropped, so drain servers first

  size_t size() const;
  boost::asio::io_context& context(size_t i);
  boost::asio::io_context& next();  // round robin; any thread

  // Seconds since the slowest loop last turned: the liveness probe's evidence. Needs start().
  double slowest_turn_seconds() const;

 private:
  struct Loop;
  std::vector<std::unique_ptr<Loop>> loops_;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace binnacle::net
