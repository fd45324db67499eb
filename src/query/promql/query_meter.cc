#include "query/promql/query_meter.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::query::promql {
namespace {

// Samples, and values, between two looks at the time and the caller: some milliseconds of work.
constexpr uint64_t kCheckEvery = 1 << 18;
constexpr uint64_t kCheckEveryValues = 1 << 20;

}  // namespace

QueryMeter::QueryMeter(const QueryLimits& limits, const Clock& clock,
                       const std::atomic<bool>* cancelled)
    : limits_(limits), clock_(clock), cancelled_(cancelled), started_ms_(clock.monotonic_ms()) {}

Status QueryMeter::charge_series(size_t count) {
  if (series_.fetch_add(count, std::memory_order_relaxed) + count > limits_.max_series) {
    return fail(Code::kResourceExhausted,
                fmt::format("query touches more than {} series (query.max_series): select fewer",
                            limits_.max_series));
  }
  return {};
}

Status QueryMeter::charge_samples(size_t count) {
  const uint64_t before = samples_.fetch_add(count, std::memory_order_relaxed);
  if (before + count > limits_.max_samples) {
    return fail(Code::kResourceExhausted,
                fmt::format("query reads more than {} samples (query.max_samples): select fewer "
                            "series or a shorter range",
                            limits_.max_samples));
  }
  if (before / kCheckEvery != (before + count) / kCheckEvery) return check();
  return {};
}

Status QueryMeter::charge_bytes(size_t bytes) {
  const uint64_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  if (bytes > limits_.max_bytes || now > limits_.max_bytes) {  // the sum may have turned over
    return fail(Code::kResourceExhausted,
                fmt::format("query holds more than {} bytes (query.max_bytes): select fewer series "
                            "or take larger steps",
                            limits_.max_bytes));
  }
  return check();
}

Status QueryMeter::charge_columns(size_t columns, size_t steps) {
  const size_t most = limits_.max_bytes / sizeof(double) + 1;
  return charge_bytes(std::min(steps, most) * columns * sizeof(double));
}

Status QueryMeter::work(size_t values) {
  const uint64_t before = work_.fetch_add(values, std::memory_order_relaxed);
  if (before / kCheckEveryValues != (before + values) / kCheckEveryValues) return check();
  return {};
}

void QueryMeter::release_bytes(size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

Status QueryMeter::check() const {
  if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
    return fail(Code::kCancelled, "query was cancelled: its caller went away");
  }
  if (limits_.timeout_ms > 0 && clock_.monotonic_ms() - started_ms_ > limits_.timeout_ms) {
    return fail(Code::kDeadlineExceeded,
                fmt::format("query timed out after {} s (query.timeout)",
                            static_cast<double>(limits_.timeout_ms) / 1000));
  }
  return {};
}

}  // namespace binnacle::query::promql
