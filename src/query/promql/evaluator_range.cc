// Range vectors as answers of instant queries.
#include <algorithm>

#include "base/check.h"
#include "query/promql/clean_samples.h"
#include "query/promql/evaluator.h"

namespace binnacle::query::promql {
namespace {

// With what allocations cost.
size_t bytes_of(const SampleSeries& series, model::LabelsView labels) {
  return sizeof series + labels.packed().size() + 48 +
         (series.times_ms.capacity() + series.values.capacity()) * sizeof(double);
}

double on_the_line(const Samples& samples, size_t before, int64_t t) {
  const double way = static_cast<double>(t - samples.times_ms[before]);
  const double length =
      static_cast<double>(samples.times_ms[before + 1] - samples.times_ms[before]);
  const double rise = samples.values[before + 1] - samples.values[before];
  return samples.values[before] + rise * way / length;
}

Samples between(const Samples& samples, int64_t after_ms, int64_t up_to_ms) {
  const auto& times = samples.times_ms;
  const auto first = static_cast<size_t>(std::ranges::upper_bound(times, after_ms) - times.begin());
  const auto last = static_cast<size_t>(std::ranges::upper_bound(times, up_to_ms) - times.begin());
  const size_t count = last > first ? last - first : 0;
  return {times.subspan(first, count), samples.values.subspan(first, count)};
}

// With a sample at the start, which is the newest before it or the line between its neighbours, and
// one at the end. Nothing when all samples are before the window.
SampleSeries extended(const Samples& all, int64_t start_ms, int64_t end_ms, bool smoothed) {
  SampleSeries out;
  const auto& times = all.times_ms;
  if (times.empty() || times.back() <= start_ms) return out;
  const auto after_start =
      static_cast<size_t>(std::ranges::upper_bound(times, start_ms) - times.begin());
  const size_t first = after_start == 0 ? 0 : after_start - 1;
  size_t last = times.size() - 1;
  if (smoothed)
    last = std::min(last,
                    static_cast<size_t>(std::ranges::lower_bound(times, end_ms) - times.begin()));
  const bool left_line = smoothed && times[first] < start_ms && first + 1 < times.size();
  const bool right_line = smoothed && last > 0 && times[last] > end_ms;
  out.times_ms.push_back(start_ms);
  out.values.push_back(left_line ? on_the_line(all, first, start_ms) : all.values[first]);
  for (size_t i = first; i <= last; ++i) {
    if (times[i] <= start_ms || times[i] >= end_ms) continue;
    out.times_ms.push_back(times[i]);
    out.values.push_back(all.values[i]);
  }
  out.times_ms.push_back(end_ms);
  out.values.push_back(right_line ? on_the_line(all, last - 1, end_ms) : all.values[last]);
  return out;
}

// The samples in (start, end]; of anchored and smoothed selectors one at each end as well.
SampleSeries within(const VectorSelector& selector, const Samples& samples, int64_t start_ms,
                    int64_t end_ms, int64_t lookback_ms) {
  if (selector.anchored || selector.smoothed) {
    const int64_t beyond_ms = selector.smoothed ? lookback_ms : 0;
    return extended(between(samples, start_ms - lookback_ms, end_ms + beyond_ms), start_ms, end_ms,
                    selector.smoothed);
  }
  const Samples inside = between(samples, start_ms, end_ms);
  SampleSeries out;
  out.times_ms.assign(inside.times_ms.begin(), inside.times_ms.end());
  out.values.assign(inside.values.begin(), inside.values.end());
  return out;
}

}  // namespace

Result<std::vector<SampleSeries>> Evaluator::range(const Expr& outer) {
  const Expr& expr = without_parens(outer);
  if (const auto* subquery = as<Subquery>(expr)) return subquery_samples(*subquery);
  const VectorSelector& selector = *as<MatrixSelector>(expr)->selector;
  const TimePlan& time = plan_.time_of(expr);
  const int64_t end_ms = time.at_ms.value_or(top_.steps.start_ms) - time.offset_ms;
  TRY_ASSIGN(const auto reader, reads_.open(plan_.read_of(selector)));
  std::vector<SampleSeries> out;
  CleanSamples clean;
  model::SeriesColumns columns;
  for (;;) {
    TRY_ASSIGN(const bool more, reader->next(columns));
    if (!more) return out;
    SampleSeries series = within(selector, clean.without_stale(columns), end_ms - time.range_ms,
                                 end_ms, meter_.limits().lookback_ms);
    if (series.times_ms.empty()) continue;
    TRY(meter_.charge_bytes(bytes_of(series, columns.labels)));
    series.labels = model::Labels(columns.labels);
    out.push_back(std::move(series));
  }
}

Result<std::vector<SampleSeries>> Evaluator::subquery_samples(const Subquery& subquery) {
  Steps steps;
  TRY_ASSIGN(const auto source, subquery_source(subquery, top_.steps, steps));
  std::vector<SampleSeries> out;
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, source->next(row));
    if (!more) return out;
    const auto count =
        row.values.size() - static_cast<size_t>(std::ranges::count_if(row.values, is_absent));
    TRY(meter_.work(row.values.size()));
    if (count == 0) continue;
    SampleSeries series;
    series.times_ms.reserve(count);
    series.values.reserve(count);
    TRY(meter_.charge_bytes(bytes_of(series, row.labels)));
    series.labels = model::Labels(row.labels);
    series.drop_name = row.drop_name;
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (is_absent(row.values[i])) continue;
      series.times_ms.push_back(steps.at(i));
      series.values.push_back(row.values[i]);
    }
    out.push_back(std::move(series));
  }
}

}  // namespace binnacle::query::promql
