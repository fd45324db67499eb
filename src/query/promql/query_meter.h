// What one query has used up, against what it may: samples, series, bytes, time; and whether anyone
// still waits for it. Operators charge as they go, so that a query over a limit ends with an error
// and never takes the server with it. Shared by the threads of one query.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "model/read_budget.h"
#include "query/promql/annotations.h"
#include "query/promql/steps.h"

namespace binnacle {
class ThreadPool;
}

namespace binnacle::query::promql {

struct QueryLimits {
  int64_t lookback_ms = 300'000;       // a sample exactly that old is too old
  int64_t default_step_ms = 60'000;    // of subqueries that name none
  size_t max_points = 11'000;          // steps of one series, the first not counted
  size_t max_series = 100'000;         // that one query may touch
  size_t max_samples = 50'000'000;     // that one query may read
  size_t max_bytes = size_t{1} << 30;  // that one query may hold at a time
  // Of labels, label values and series that one call answers where it asks for no limit itself.
  size_t max_label_answers = 100'000;
  int64_t timeout_ms = 120'000;  // 0: none
  bool experimental = false;
};

class QueryMeter final : public model::ReadBudget {
 public:
  // `clock` and `cancelled` outlive the meter; null: nobody cancels.
  QueryMeter(const QueryLimits& limits, const Clock& clock, const std::atomic<bool>* cancelled);

  // kResourceExhausted names the limit, its setting (query.max_*) and what to do.
  Status charge_series(size_t count);
  Status charge_samples(size_t count);  // looks at the time and the caller too, now and then
  // Held from now on. Looks at the time and the caller each time: operators that compute for long
  // on few samples charge what they hold series by series.
  Status charge_bytes(size_t bytes) override;
  // So many columns of that many steps. A subquery may ask for more steps than there are bytes to
  // count.
  Status charge_columns(size_t columns, size_t steps);
  void release_bytes(size_t bytes) override;
  // Values computed, whether or not they were read from the store: looks at the time and the caller
  // now and then. Whoever goes through rows says how long they are.
  Status work(size_t values);
  // kDeadlineExceeded ("query timed out in ...") or kCancelled.
  Status check() const override;

  uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }
  uint64_t series() const { return series_.load(std::memory_order_relaxed); }
  uint64_t held_bytes() const { return bytes_.load(std::memory_order_relaxed); }
  uint64_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }
  const QueryLimits& limits() const { return limits_; }

 private:
  // Fixed after construction.
  const QueryLimits limits_;
  const Clock& clock_;
  const std::atomic<bool>* const cancelled_;
  const int64_t started_ms_;  // monotonic

  std::atomic<uint64_t> samples_ = 0;
  std::atomic<uint64_t> series_ = 0;
  std::atomic<uint64_t> work_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint64_t> peak_bytes_ = 0;
};

// What every operator of one evaluation is given; a subquery's has steps of its own.
struct EvalContext {
  Steps steps;
  QueryMeter& meter;
  Annotations& annotations;
  ThreadPool* helpers = nullptr;  // that may do a part of the work; null: none
};

}  // namespace binnacle::query::promql
