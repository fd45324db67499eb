// What is noted of each query once it is over: how long it took, what it read, what ended it; and a
// line of the log for those that took long. Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "base/instruments.h"
#include "base/log.h"
#include "query/promql/engine.h"

namespace binnacle::query::promql {

struct FinishedQuery {
  std::string_view kind;  // "instant", "range", "remote_read"
  std::string_view text;
  std::string_view caller;
  double seconds = 0;
  uint64_t samples = 0;          // read
  const Error* error = nullptr;  // null: it was answered
};

class QueryLog {
 public:
  // Registers binnacle_query_duration_seconds{kind}, _samples_total, _failed_total{code},
  // _limited_total{limit} and _slow_total.
  explicit QueryLog(Registry& registry);

  void set_slow_ms(int64_t slow_ms) { slow_ms_ = slow_ms; }  // 0: none is slow
  void finished(const FinishedQuery& query);

 private:
  // Fixed after construction.
  Registry& registry_;
  Counter& samples_;
  Counter& slow_;
  const Log log_{"query"};

  std::atomic<int64_t> slow_ms_ = 10'000;
};

}  // namespace binnacle::query::promql
