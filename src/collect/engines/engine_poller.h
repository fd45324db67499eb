// Asks one instance of an engine that exports no metrics, and appends what it says. ask() runs on
// an I/O thread and touches no store; append() may wait for the disk and belongs to one thread,
// which may be another one. An ask is over before the next begins. Must outlive its asks and die
// before the IoThreads they ran on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "collect/engines/poll_reader.h"
#include "model/appender.h"
#include "net/http_peer.h"

namespace binnacle::collect::engines {

struct PollTarget {
  Engine engine = Engine::kOllama;
  std::string url;       // "http://127.0.0.1:11434", without a path
  model::Labels labels;  // put on every series: job, instance
  net::HttpClientConfig http;
  int64_t interval_ms = 10'000;
  // An engine that takes longer to answer, on a connection it took, gave none. To connect, at most
  // half of it.
  int64_t timeout_ms = 4'000;
  size_t max_body_bytes = size_t{8} << 20;
  size_t max_series = kMaxPolledSeries;  // further ones are left out and counted
};

// kInvalidArgument: not an engine that is polled, no URL, times out of order.
Status check_poll_target(const PollTarget& target);

class EnginePoller {
 public:
  // `target` is fine by check_poll_target(). References outlive the poller.
  EnginePoller(PollTarget target, FileSystem& files, const Clock& clock, Registry& registry);

  boost::asio::awaitable<PollResult> ask();

  // One batch: the series at `time_ms`, stale markers for those that were there last time and are
  // not now. Answers how many samples the store refused.
  Result<size_t> append(const PollResult& result, model::Appendable& store, int64_t time_ms);
  // The instance is no longer watched: stale markers for all.
  Result<size_t> end(model::Appendable& store, int64_t time_ms) {
    return append({}, store, time_ms);
  }

  const PollTarget& target() const { return target_; }

 private:
  boost::asio::awaitable<PollAnswer> get(std::string_view path);
  void count(const PollResult& result);

  // Fixed after construction.
  const PollTarget target_;
  const Clock& clock_;
  Registry& registry_;
  net::HttpPeer peer_;

  // append()'s thread only. By packed labels without the target's.
  struct Known {
    model::Labels labels;
    model::SeriesRef ref = model::kNoSeries;
    uint64_t round = 0;
  };
  std::unordered_map<std::string, Known> known_;
  uint64_t round_ = 0;
  int64_t newest_ms_ = 0;
};

}  // namespace binnacle::collect::engines
