#include "query/promql/selector_rows.h"

#include <algorithm>
#include <limits>

#include "base/wide_vectors.h"
#include "model/sample.h"
#include "query/promql/clean_samples.h"
#include "query/promql/column.h"

namespace binnacle::query::promql {

// Returns whether any of them is a NaN.
BINNACLE_WIDE_VECTORS
bool pick(const double* __restrict values, std::span<const uint32_t> picks,
          double* __restrict out) {
  uint64_t any_nan = 0;
  for (size_t i = 0; i < picks.size(); ++i) {
    const double value = values[picks[i]];
    any_nan |= static_cast<uint64_t>(value != value);
    out[i] = value;
  }
  return any_nan != 0;
}

namespace {

// Stale markers end a series; other NaNs are made alike, so that none is taken for an absent value.
void clean(std::span<double> values) {
  for (double& value : values) {
    if (value == value) continue;
    value = model::is_stale(value) ? absent_value() : std::numeric_limits<double>::quiet_NaN();
  }
}

class SelectorRows final : public RowMaker {
 public:
  SelectorRows(const TimePlan& time, SelectorValue value, const Steps& steps, QueryMeter& meter)
      : time_(time),
        value_(value),
        steps_(steps),
        lookback_ms_(meter.limits().lookback_ms),
        meter_(meter),
        picks_(steps_.count()),
        out_(steps_.count()) {}

  Result<bool> make(const model::SeriesColumns& columns, Row& out) override {
    TRY(meter_.work(out_.size()));  // samples may be few, and steps many
    if (columns.timestamps_id == 0 || columns.timestamps_id != times_id_) {
      find(columns.timestamps_ms);
      times_id_ = columns.timestamps_id;
    }
    if (!fill(columns)) return false;
    out = {columns.labels, false, out_};
    return true;
  }

 private:
  // Which sample stands for each step; both columns are walked once.
  void find(std::span<const int64_t> times_ms) {
    missing_.clear();
    size_t next = 0;  // first sample after the step
    for (size_t i = 0; i < picks_.size(); ++i) {
      const int64_t t = time_.at_ms.value_or(steps_.at(i)) - time_.offset_ms;
      while (next < times_ms.size() && times_ms[next] <= t) ++next;
      const bool found = next > 0 && times_ms[next - 1] > t - lookback_ms_;
      picks_[i] = found ? static_cast<uint32_t>(next - 1) : 0;
      if (!found) missing_.push_back(static_cast<uint32_t>(i));
    }
  }

  // False where no step has a value.
  bool fill(const model::SeriesColumns& columns) {
    if (missing_.size() == out_.size()) return false;
    const bool any_nan = pick(columns.values.data(), picks_, out_.data());
    if (any_nan) clean(out_);
    for (const uint32_t i : missing_) out_[i] = absent_value();
    if (value_ != SelectorValue::kSample) fill_times(columns.timestamps_ms);
    return !any_nan || first_present(out_) != kNoStep;
  }

  void fill_times(std::span<const int64_t> times_ms) {
    for (size_t i = 0; i < out_.size(); ++i) {
      if (!is_absent(out_[i])) out_[i] = static_cast<double>(times_ms[picks_[i]]) / 1000;
    }
  }

  const TimePlan time_;
  const SelectorValue value_;
  const Steps steps_;
  const int64_t lookback_ms_;
  QueryMeter& meter_;
  std::vector<uint32_t> picks_;    // index of the sample for each step, any where there is none
  std::vector<uint32_t> missing_;  // steps that have no sample
  uint64_t times_id_ = 0;          // of the column that both are for
  std::vector<double> out_;
};

class SmoothedRows final : public RowMaker {
 public:
  SmoothedRows(const TimePlan& time, const Steps& steps, QueryMeter& meter)
      : time_(time),
        steps_(steps),
        lookback_ms_(meter.limits().lookback_ms),
        meter_(meter),
        out_(steps.count()) {}

  Result<bool> make(const model::SeriesColumns& columns, Row& out) override {
    TRY(meter_.work(out_.size()));
    if (!fill(clean_.without_stale(columns))) return false;
    out = {columns.labels, false, out_};
    return true;
  }

 private:
  bool fill(const Samples& samples) {
    bool any = false;
    for (size_t i = 0; i < out_.size(); ++i) {
      out_[i] = value_at(samples, time_.at_ms.value_or(steps_.at(i)) - time_.offset_ms);
      any = any || !is_absent(out_[i]);
    }
    return any;
  }

  // With no sample before it within the lookback there is no value; with none after it, the one
  // before holds.
  double value_at(const Samples& samples, int64_t t) const {
    const auto times = samples.times_ms;
    const size_t next = static_cast<size_t>(std::ranges::lower_bound(times, t) - times.begin());
    if (next < times.size() && times[next] == t) return samples.values[next];
    if (next == 0 || times[next - 1] <= t - lookback_ms_) return absent_value();
    const double before = samples.values[next - 1];
    if (next == times.size() || times[next] > t + lookback_ms_) return before;
    const double way = static_cast<double>(t - times[next - 1]) /
                       static_cast<double>(times[next] - times[next - 1]);
    return before + (samples.values[next] - before) * way;
  }

  const TimePlan time_;
  const Steps steps_;
  const int64_t lookback_ms_;
  QueryMeter& meter_;
  CleanSamples clean_;
  std::vector<double> out_;
};

}  // namespace

RowMakerFactory selector_rows(const TimePlan& time, SelectorValue value,
                              const EvalContext& context) {
  return [time, value, steps = context.steps, &meter = context.meter](Annotations&) {
    return std::make_unique<SelectorRows>(time, value, steps, meter);
  };
}

RowMakerFactory smoothed_rows(const TimePlan& time, const EvalContext& context) {
  return [time, steps = context.steps, &meter = context.meter](Annotations&) {
    return std::make_unique<SmoothedRows>(time, steps, meter);
  };
}

}  // namespace binnacle::query::promql
