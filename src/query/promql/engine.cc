#include "query/promql/engine.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "query/promql/evaluator.h"
#include "query/promql/held_rows.h"
#include "query/promql/parser.h"
#include "query/promql/query_plan.h"
#include "query/promql/series_reader.h"
#include "query/promql/step_samples.h"

namespace binnacle::query::promql {
namespace {

double seconds_since(const Clock& clock, int64_t start_ns) {
  return static_cast<double>(clock.monotonic_ns() - start_ns) / 1e9;
}

Status check_steps(const Query& query, const QueryLimits& limits) {
  const Steps& steps = query.steps;
  const auto far = [](int64_t ms) { return ms < -kFarthestMs || ms > kFarthestMs; };
  if (far(steps.start_ms) || far(steps.end_ms))
    return fail(Code::kInvalidArgument, "time of the query is too far away");
  if (query.instant) return {};
  if (steps.step_ms <= 0) {
    return fail(
        Code::kInvalidArgument,
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (steps.end_ms < steps.start_ms)
    return fail(Code::kInvalidArgument, "end timestamp must not be before start time");
  if (steps.count() - 1 > limits.max_points) {  // both ends count, as in Prometheus
    return fail(
        Code::kInvalidArgument,
        fmt::format("exceeded maximum resolution of {} points per timeseries (query.max_points). "
                    "Try decreasing the query resolution (?step=XX)",
                    limits.max_points));
  }
  return {};
}

// What times are computed with.
QueryLimits within_reason(QueryLimits limits) {
  limits.lookback_ms = std::clamp<int64_t>(limits.lookback_ms, 1, kLongestMs);
  limits.default_step_ms = std::clamp<int64_t>(limits.default_step_ms, 1, kLongestMs);
  return limits;
}

Status check_type(const Expr& expr, const Query& query) {
  const ValueType type = type_of(expr);
  if (query.instant || type == ValueType::kScalar || type == ValueType::kVector) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("invalid expression type \"{}\" for range query, must be Scalar or "
                          "instant Vector",
                          documented_type_name(type)));
}

// Labels that say what a metric is rather than whose it is; they go together.
model::Labels without_name(model::LabelsView labels) {
  return model::LabelsBuilder(labels)
      .remove(model::kMetricName)
      .remove("__type__")
      .remove("__unit__")
      .build();
}

// One's values where the other has none.
Status merge(OwnedRow& into, const OwnedRow& from) {
  return merge_values(from.values, into.values);
}

Status merge(SampleSeries& into, const SampleSeries& from) {
  SampleSeries merged;
  size_t i = 0;
  for (size_t k = 0; k <= from.times_ms.size(); ++k) {
    const int64_t up_to = k < from.times_ms.size() ? from.times_ms[k] : INT64_MAX;
    for (; i < into.times_ms.size() && into.times_ms[i] < up_to; ++i) {
      merged.times_ms.push_back(into.times_ms[i]);
      merged.values.push_back(into.values[i]);
    }
    if (k == from.times_ms.size()) break;
    if (i < into.times_ms.size() && into.times_ms[i] == up_to) return same_labels();
    merged.times_ms.push_back(up_to);
    merged.values.push_back(from.values[k]);
  }
  into.times_ms = std::move(merged.times_ms);
  into.values = std::move(merged.values);
  return {};
}

// The delayed removal of names, at last: what is one series without its name becomes one.
template <typename Series>
Status drop_names(std::vector<Series>& all) {
  bool any = false;
  for (Series& series : all) {
    if (!series.drop_name) continue;
    series.labels = without_name(series.labels);
    series.drop_name = false;
    any = true;
  }
  if (!any && all.size() < 2) return {};
  std::unordered_map<std::string_view, size_t> seen;
  seen.reserve(all.size());
  std::vector<bool> merged(all.size(), false);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto [it, added] = seen.emplace(all[i].labels.packed(), i);
    if (added) continue;
    TRY(merge(all[it->second], all[i]));
    merged[i] = true;
  }
  size_t i = 0;
  std::erase_if(all, [&](const Series&) { return merged[i++]; });
  return {};
}

Result<std::vector<OwnedRow>> read_all(RowSource& source, QueryMeter& meter) {
  std::vector<OwnedRow> rows;
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, source.next(row));
    if (!more) return rows;
    if (std::ranges::all_of(row.values, is_absent)) continue;
    TRY(meter.charge_bytes(bytes_of(row)));
    rows.push_back(owned(row));
  }
}

template <typename Series>
void sort_by_labels(std::vector<Series>& all) {
  const auto before = [](const Series& a, const Series& b) {
    return model::compare(a.labels, b.labels) < 0;
  };
  if (!std::is_sorted(all.begin(), all.end(), before)) std::sort(all.begin(), all.end(), before);
}

Status fill(QueryAnswer& answer, const Expr& expr, const Query& query, Evaluator& evaluator,
            QueryMeter& meter) {
  answer.type = query.instant ? type_of(expr) : ValueType::kMatrix;
  answer.steps = query.steps;
  switch (type_of(expr)) {
    case ValueType::kString:
      answer.text = Evaluator::text(expr);
      return {};
    case ValueType::kScalar: {
      TRY_ASSIGN(auto values, evaluator.scalar(expr));
      answer.scalar = values[0];
      if (!query.instant) answer.rows.push_back({model::Labels(), false, std::move(values)});
      return {};
    }
    case ValueType::kMatrix: {
      TRY_ASSIGN(answer.samples, evaluator.range(expr));
      TRY(drop_names(answer.samples));
      sort_by_labels(answer.samples);
      return {};
    }
    case ValueType::kVector: {
      TRY_ASSIGN(const auto source, evaluator.rows(expr));
      TRY_ASSIGN(answer.rows, read_all(*source, meter));
      TRY(drop_names(answer.rows));
      if (!query.instant) sort_by_labels(answer.rows);
      return {};
    }
  }
  return {};
}

}  // namespace

Result<QueryAnswer> evaluate(model::Queryable& store, const Query& query, const QueryLimits& limits,
                             const Clock& clock, const std::atomic<bool>* cancelled,
                             ThreadPool* helpers) {
  const int64_t start_ns = clock.monotonic_ns();
  ParseOptions options;
  options.experimental = limits.experimental;
  TRY_ASSIGN(const auto expr, parse(query.text, options));
  const double parse_seconds = seconds_since(clock, start_ns);
  auto answer = evaluate(store, *expr, query, limits, clock, cancelled, helpers);
  if (answer) answer->stats.parse_seconds = parse_seconds;
  return answer;
}

Result<QueryAnswer> evaluate(model::Queryable& store, const Expr& expr, const Query& query,
                             const QueryLimits& limits, const Clock& clock,
                             const std::atomic<bool>* cancelled, ThreadPool* helpers) {
  const int64_t start_ns = clock.monotonic_ns();
  TRY(check_steps(query, limits));
  TRY(check_type(expr, query));
  const QueryLimits within = within_reason(limits);
  QueryMeter meter(within, clock, cancelled);
  Annotations annotations(query.text);
  TRY_ASSIGN(const QueryPlan plan, QueryPlan::make(expr, query.steps, within));
  SeriesReads reads(store, plan, meter);
  Evaluator evaluator(plan, reads, meter, annotations, helpers);
  QueryAnswer answer;
  answer.stats.prepare_seconds = seconds_since(clock, start_ns);
  TRY(fill(answer, expr, query, evaluator, meter));
  answer.warnings = annotations.warnings();
  answer.warnings.insert(answer.warnings.end(), reads.warnings().begin(), reads.warnings().end());
  answer.infos = annotations.infos();
  answer.stats.eval_seconds = seconds_since(clock, start_ns) - answer.stats.prepare_seconds;
  answer.stats.series = meter.series();
  answer.stats.samples = meter.samples();
  if (query.step_stats) {
    TRY_ASSIGN(answer.stats.samples_per_step,
               samples_per_step(expr, plan, reads, evaluator, meter));
  }
  answer.stats.peak_bytes = meter.peak_bytes();
  return answer;
}

}  // namespace binnacle::query::promql
