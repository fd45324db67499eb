#include "query/promql/range_rows.h"

#include <algorithm>

#include "query/promql/clean_samples.h"

namespace binnacle::query::promql {
namespace {

class SelectorRange final : public RangeSource {
 public:
  explicit SelectorRange(std::unique_ptr<SeriesReader> reader) : reader_(std::move(reader)) {}

  Result<bool> next(RangeSeries& out) override {
    model::SeriesColumns columns;
    TRY_ASSIGN(const bool more, reader_->next(columns));
    if (!more) return false;
    out.labels = columns.labels;
    out.samples = clean_.without_stale(columns);
    out.times_id = clean_.copied() ? 0 : columns.timestamps_id;
    return true;
  }

 private:
  const std::unique_ptr<SeriesReader> reader_;
  CleanSamples clean_;
};

class SubqueryRange final : public RangeSource {
 public:
  SubqueryRange(RowSourcePtr rows, const Steps& steps) : rows_(std::move(rows)) {
    all_times_ms_.reserve(steps.count());
    for (size_t i = 0; i < steps.count(); ++i) all_times_ms_.push_back(steps.at(i));
  }

  Result<bool> next(RangeSeries& out) override {
    Row row;
    TRY_ASSIGN(const bool more, rows_->next(row));
    if (!more) return false;
    out.labels = row.labels;
    out.drop_name = row.drop_name;
    if (std::ranges::none_of(row.values, is_absent)) {
      out.samples = {all_times_ms_, row.values};
      out.times_id = 1;
      return true;
    }
    times_ms_.clear();
    values_.clear();
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (is_absent(row.values[i])) continue;
      times_ms_.push_back(all_times_ms_[i]);
      values_.push_back(row.values[i]);
    }
    out.samples = {times_ms_, values_};
    out.times_id = 0;
    return true;
  }

 private:
  const RowSourcePtr rows_;
  std::vector<int64_t> all_times_ms_;
  std::vector<int64_t> times_ms_;
  std::vector<double> values_;
};

class RangeRows final : public RowSource {
 public:
  RangeRows(std::unique_ptr<RangeSource> source, RangeCall call,
            std::vector<std::vector<double>> scalars, const TimePlan& time, EvalContext& context)
      : source_(std::move(source)),
        scalars_(std::move(scalars)),
        call_(std::move(call)),
        meter_(context.meter),
        out_(context.steps.count()) {
    windows_.steps = context.steps;
    windows_.meter = &meter_;
    windows_.range_ms = time.range_ms;
    windows_.offset_ms = time.offset_ms;
    windows_.at_ms = time.at_ms;
  }

  Result<bool> next(Row& out) override {
    RangeSeries series;
    for (;;) {
      TRY_ASSIGN(const bool more, source_->next(series));
      if (!more) return false;
      if (function_ == nullptr) {
        TRY_ASSIGN(function_, make_range_function(call_));
      }
      if (series.times_id == 0 || series.times_id != times_id_) {
        windows_.find(series.samples.times_ms);
        may_stop_ = WindowWatch::may_stop(windows_);
        times_id_ = series.times_id;
      }
      function_->apply(series.labels, series.samples, windows_, out_);
      TRY(look_up(series.samples.values.size()));
      if (std::ranges::all_of(out_, is_absent)) continue;
      out = {series.labels, series.drop_name || function_->drops_name(), out_};
      return true;
    }
  }

 private:
  // A function that took long may have stopped before its end, as nobody waits any more.
  Status look_up(size_t samples) {
    return may_stop_ ? meter_.check() : meter_.work(samples + out_.size());
  }

  const std::unique_ptr<RangeSource> source_;
  const std::vector<std::vector<double>> scalars_;
  const RangeCall call_;
  QueryMeter& meter_;
  std::unique_ptr<RangeFunction> function_;  // null: no series yet
  Windows windows_;
  bool may_stop_ = false;  // the function, over these windows
  uint64_t times_id_ = 0;  // of the column that `windows_` was found for
  std::vector<double> out_;
};

}  // namespace

std::unique_ptr<RangeSource> selector_range(std::unique_ptr<SeriesReader> reader) {
  return std::make_unique<SelectorRange>(std::move(reader));
}

std::unique_ptr<RangeSource> subquery_range(RowSourcePtr rows, const Steps& steps) {
  return std::make_unique<SubqueryRange>(std::move(rows), steps);
}

RowSourcePtr range_rows(std::unique_ptr<RangeSource> source, RangeCall call,
                        std::vector<std::vector<double>> scalars, const TimePlan& time,
                        EvalContext& context) {
  return std::make_unique<RangeRows>(std::move(source), std::move(call), std::move(scalars), time,
                                     context);
}

}  // namespace binnacle::query::promql
