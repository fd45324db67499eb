#include "query/promql/evaluate.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/check.h"
#include "model/sample.h"

namespace binnacle::query::promql {
namespace {

// The newest sample in (t - lookback, t] at each step; both columns are walked once.
bool fill(const model::SeriesColumns& columns, const Steps& steps, int64_t lookback_ms,
          std::vector<double>& out) {
  bool any = false;
  size_t next = 0;  // first sample after the step
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t t = steps.at(i);
    while (next < columns.timestamps_ms.size() && columns.timestamps_ms[next] <= t) ++next;
    if (next == 0 || columns.timestamps_ms[next - 1] <= t - lookback_ms) continue;
    const double value = columns.values[next - 1];
    if (model::is_stale(value)) continue;
    out[i] = value;
    any = true;
  }
  return any;
}

Status check_steps(const Steps& steps, const QueryLimits& limits) {
  if (steps.step_ms < 0 || (steps.step_ms == 0 && steps.end_ms != steps.start_ms)) {
    return fail(
        Code::kInvalidArgument,
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (steps.end_ms < steps.start_ms) {
    return fail(Code::kInvalidArgument, "end timestamp must not be before start time");
  }
  if (steps.count() > limits.max_points) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("exceeded maximum resolution of {} points per timeseries (query.max_points). "
                    "Try decreasing the query resolution (?step=XX)",
                    limits.max_points));
  }
  return {};
}

}  // namespace

Result<std::vector<SeriesValues>> evaluate(model::Queryable& store, const model::Matchers& matchers,
                                           const Steps& steps, const QueryLimits& limits) {
  TRY(check_steps(steps, limits));
  const int64_t first_ms = steps.start_ms - limits.lookback_ms + 1;
  TRY_ASSIGN(const auto querier, store.querier(first_ms, steps.end_ms));
  model::SelectHints hints;
  hints.start_ms = first_ms;
  hints.end_ms = steps.end_ms;
  hints.step_ms = steps.step_ms;
  TRY_ASSIGN(const auto set, querier->select(matchers, hints));

  std::vector<SeriesValues> out;
  model::SeriesColumns columns;
  while (set->next(columns)) {
    CHECK(columns.timestamps_ms.size() == columns.values.size());
    std::vector<double> values(steps.count(), absent_value());
    if (!fill(columns, steps, limits.lookback_ms, values)) continue;
    if (out.size() == limits.max_series) {
      return fail(
          Code::kResourceExhausted,
          fmt::format("query selects more than {} series (query.max_series)", limits.max_series));
    }
    if ((out.size() + 1) * values.size() > limits.max_samples) {
      return fail(Code::kResourceExhausted,
                  fmt::format("query answers more than {} samples (query.max_samples)",
                              limits.max_samples));
    }
    out.push_back({model::Labels(columns.labels), std::move(values)});
  }
  TRY(set->status());
  return out;
}

}  // namespace binnacle::query::promql
