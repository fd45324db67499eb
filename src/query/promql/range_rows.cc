#include "query/promql/range_rows.h"

#include <algorithm>

#include "query/promql/clean_samples.h"

namespace binnacle::query::promql {
namespace {

// The function over the windows of series after series.
class RangeRow {
 public:
  RangeRow(SharedRangeWork work, Annotations& annotations)
      : work_(std::move(work)), annotations_(annotations), out_(work_->steps.count()) {
    windows_.steps = work_->steps;
    windows_.range_ms = work_->time.range_ms;
    windows_.offset_ms = work_->time.offset_ms;
    windows_.at_ms = work_->time.at_ms;
    windows_.meter = &work_->meter;
  }

  // `times_id`: equal and not 0 where the times are those of the series before. False where there
  // is no value at any step.
  Result<bool> make(model::LabelsView labels, bool drop_name, const Samples& samples,
                    uint64_t times_id, Row& out) {
    if (function_ == nullptr) {
      TRY_ASSIGN(function_, make_range_function(range_call()));
    }
    if (times_id == 0 || times_id != times_id_) {
      windows_.find(samples.times_ms);
      may_stop_ = WindowWatch::may_stop(windows_);
      times_id_ = times_id;
    }
    function_->apply(labels, samples, windows_, out_);
    TRY(look_up(samples.values.size()));
    if (std::ranges::all_of(out_, is_absent)) return false;
    out = {labels, drop_name || function_->drops_name(), out_};
    return true;
  }

 private:
  // A function that took long may have stopped before its end, as nobody waits any more.
  Status look_up(size_t samples) {
    return may_stop_ ? work_->meter.check() : work_->meter.work(samples + out_.size());
  }

  RangeCall range_call() const {
    RangeCall call{work_->call,     {},          work_->lookback_ms, work_->anchored,
                   work_->smoothed, annotations_};
    for (const auto& values : work_->scalars) call.scalars.emplace_back(values);
    return call;
  }

  const SharedRangeWork work_;
  Annotations& annotations_;
  std::unique_ptr<RangeFunction> function_;  // null: no series yet
  Windows windows_;
  bool may_stop_ = false;  // the function, over these windows
  uint64_t times_id_ = 0;  // of the column that `windows_` was found for
  std::vector<double> out_;
};

class SelectorRange final : public RowMaker {
 public:
  SelectorRange(SharedRangeWork work, Annotations& annotations)
      : row_(std::move(work), annotations) {}

  Result<bool> make(const model::SeriesColumns& columns, Row& out) override {
    const Samples samples = clean_.without_stale(columns);
    return row_.make(columns.labels, false, samples, clean_.copied() ? 0 : columns.timestamps_id,
                     out);
  }

 private:
  RangeRow row_;
  CleanSamples clean_;
};

class SubqueryRange final : public RowSource {
 public:
  SubqueryRange(SharedRangeWork work, RowSourcePtr rows, const Steps& inner,
                Annotations& annotations)
      : rows_(std::move(rows)), row_(std::move(work), annotations) {
    all_times_ms_.reserve(inner.count());
    for (size_t i = 0; i < inner.count(); ++i) all_times_ms_.push_back(inner.at(i));
  }

  Result<bool> next(Row& out) override {
    Row inner;
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(inner));
      if (!more) return false;
      const bool all = std::ranges::none_of(inner.values, is_absent);
      const Samples samples = all ? Samples{all_times_ms_, inner.values} : present(inner.values);
      TRY_ASSIGN(const bool any,
                 row_.make(inner.labels, inner.drop_name, samples, all ? 1 : 0, out));
      if (any) return true;
    }
  }

 private:
  Samples present(std::span<const double> values) {
    times_ms_.clear();
    values_.clear();
    for (size_t i = 0; i < values.size(); ++i) {
      if (is_absent(values[i])) continue;
      times_ms_.push_back(all_times_ms_[i]);
      values_.push_back(values[i]);
    }
    return {times_ms_, values_};
  }

  const RowSourcePtr rows_;
  RangeRow row_;
  std::vector<int64_t> all_times_ms_;
  std::vector<int64_t> times_ms_;
  std::vector<double> values_;
};

}  // namespace

RowMakerFactory range_rows(SharedRangeWork work) {
  return [work = std::move(work)](Annotations& annotations) {
    return std::make_unique<SelectorRange>(work, annotations);
  };
}

RowSourcePtr subquery_rows(SharedRangeWork work, RowSourcePtr rows, const Steps& inner,
                           Annotations& annotations) {
  return std::make_unique<SubqueryRange>(std::move(work), std::move(rows), inner, annotations);
}

}  // namespace binnacle::query::promql
