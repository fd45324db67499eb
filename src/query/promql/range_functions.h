// Functions over range selectors: a series' samples and the windows of all steps go in, one value a
// step comes out. Windows slide, so that work is O(1) a step where the mathematics allows. Not
// thread-safe: each thread makes its own. Source: Prometheus documentation, "Functions" and
// "Querying basics" (left-open ranges, anchored, smoothed).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "query/promql/annotations.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {

// Of one series, stale markers left out; those outside all windows (within the lookback before and,
// for smoothed, after) included.
struct Samples {
  std::span<const int64_t> times_ms;  // strictly ascending
  std::span<const double> values;
};

// Window i is (end_ms(i) - range_ms, end_ms(i)]; samples [first[i], last[i]) lie in it. Neither
// first nor last ever falls.
struct Windows {
  Steps steps;  // window i ends at steps.at(i) - offset_ms
  int64_t range_ms = 0;
  int64_t offset_ms = 0;
  std::vector<uint32_t> first;  // one for each step
  std::vector<uint32_t> last;
  uint64_t found = 0;  // how often find() was called: what depends on the times alone may be kept
  // With @: all windows end at at_ms - offset_ms; steps.at(i) is still the time at which
  // predict_linear predicts.
  std::optional<int64_t> at_ms = {};
  const QueryMeter* meter = nullptr;  // for WindowWatch; null: nobody stops a function
  int64_t end_ms(size_t i) const { return at_ms.value_or(steps.at(i)) - offset_ms; }
  int64_t start_ms(size_t i) const { return end_ms(i) - range_ms; }
  size_t samples() const;  // of all windows, those in several as often
  // Fills first and last for that column of times, which series with the same times share. Quick
  // where the times are spaced evenly, right for any.
  void find(std::span<const int64_t> times_ms);
};

// For functions that go through the samples of each window: they stop when the query's time is up
// or its caller has left, and their caller, who learns the same from the meter, throws away what
// they gave.
class WindowWatch {
 public:
  explicit WindowWatch(const Windows& windows) : meter_(windows.meter) {}

  // After so many samples.
  bool over(size_t samples) {
    done_ += samples + 1;
    if (done_ < kCheckEvery || meter_ == nullptr) return false;
    done_ = 0;
    return !meter_->check();
  }
  static bool may_stop(const Windows& windows) {
    return windows.samples() + windows.first.size() >= kCheckEvery;
  }

 private:
  static constexpr size_t kCheckEvery = size_t{1} << 20;
  const QueryMeter* const meter_;
  size_t done_ = 0;
};

class RangeFunction {
 public:
  virtual ~RangeFunction() = default;
  // `out` has one place for each step; absent_value() where the function gives nothing. `labels`
  // are for annotations.
  virtual void apply(model::LabelsView labels, const Samples& samples, const Windows& windows,
                     std::span<double> out) = 0;
  virtual bool drops_name() const { return true; }  // last_over_time and first_over_time keep it
};

struct RangeCall {
  const Call& call;                              // outlives the function; positions, the name
  std::vector<std::span<const double>> scalars;  // in order, one a step; outlive it as well
  int64_t lookback_ms = 0;
  bool anchored = false;  // of the selector
  bool smoothed = false;
  Annotations& annotations;
};

// Every function that takes a range vector, absent_over_time as present_over_time: its caller turns
// that round. kInvalidArgument where scalars or modifiers do not fit ("invalid smoothing factor").
Result<std::unique_ptr<RangeFunction>> make_range_function(const RangeCall& call);

}  // namespace binnacle::query::promql
