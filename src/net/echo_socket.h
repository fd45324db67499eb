// UDP echoes (docs/formats/echo.md), asked and answered on one socket of one io_context: whether a
// process lives, past TCP. Without a key it neither asks nor answers. Any thread; progress is
// called on the loop of the context and must not block.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/random.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace binnacle::net {

struct EchoOptions {
  size_t max_running = 256;         // questions at a time
  double answers_per_second = 100;  // to one address, after a burst of
  double answer_burst = 200;
  size_t max_senders = 4096;  // addresses whose rate is kept
};

struct EchoProgress {
  uint64_t sent = 0;
  uint64_t answered = 0;
  int64_t round_trip_ns = 0;  // the shortest; 0: none was answered
  bool done = false;
};

class EchoSocket {
 public:
  // `address` is "host:port" or ":port" (all addresses), host an address. kInvalidArgument: it is
  // none; kFailedPrecondition: it cannot be bound. The references outlive the socket and the loop.
  static Result<std::unique_ptr<EchoSocket>> open(boost::asio::io_context& context,
                                                  const std::string& address, const Clock& clock,
                                                  Random& random, Registry& registry,
                                                  const EchoOptions& options = {});
  ~EchoSocket();  // what runs ends without a word
  EchoSocket(const EchoSocket&) = delete;
  EchoSocket& operator=(const EchoSocket&) = delete;

  // "10.0.0.7:4711", or ":4711" when bound to all addresses.
  std::string address() const;

  // 16 bytes or more; of another length: none, it falls silent.
  void set_key(std::string key);

  // Sends a request to host:port, an address, now and every `interval` until `duration` is over.
  // `on_progress` is called with the first answer and once at the end, an interval after the last
  // request, with `done`; an end comes for every start that gave an id. kInvalidArgument: not an
  // address that one host has; kResourceExhausted: too many run; kFailedPrecondition: no key.
  using OnProgress = std::function<void(const EchoProgress&)>;
  Result<uint64_t> start(const std::string& address, std::chrono::milliseconds interval,
                         std::chrono::milliseconds duration, OnProgress on_progress);
  void cancel(uint64_t id);  // ends it now, with `done`; nothing when it is over

 private:
  class Driver;
  explicit EchoSocket(std::shared_ptr<Driver> driver);
  const std::shared_ptr<Driver> driver_;  // with its coroutines
};

}  // namespace binnacle::net
