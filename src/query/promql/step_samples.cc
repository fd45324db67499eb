#include "query/promql/step_samples.h"

#include <algorithm>
#include <numeric>

#include "model/sample.h"
#include "query/promql/clean_samples.h"
#include "query/promql/function_table.h"

namespace binnacle::query::promql {
namespace {

using Counts = std::vector<uint64_t>;  // by step

class StepSamples {
 public:
  StepSamples(const QueryPlan& plan, SeriesReads& reads, Evaluator& evaluator, QueryMeter& meter)
      : plan_(plan), reads_(reads), evaluator_(evaluator), meter_(meter) {}

  // Adds to `out` what the expression looks at.
  Status add(const Expr& outer, const Steps& steps, Counts& out) {
    const Expr& expr = without_parens(outer);
    if (const auto* selector = as<VectorSelector>(expr)) return instant(*selector, steps, out);
    if (const auto* selector = as<MatrixSelector>(expr)) return range(*selector, steps, out);
    if (const auto* subquery = as<Subquery>(expr)) return whole_subquery(*subquery, steps, out);
    if (const auto* call = as<Call>(expr)) return arguments(*call, steps, out);
    if (const auto* unary = as<UnaryExpr>(expr)) return add(*unary->expr, steps, out);
    if (const auto* aggregation = as<Aggregation>(expr)) {
      if (aggregation->param != nullptr) TRY(add(*aggregation->param, steps, out));
      return add(*aggregation->expr, steps, out);
    }
    if (const auto* binary = as<BinaryExpr>(expr)) {
      TRY(add(*binary->lhs, steps, out));
      return add(*binary->rhs, steps, out);
    }
    return {};
  }

 private:
  static int64_t time_at(const TimePlan& time, const Steps& steps, size_t step) {
    return time.at_ms.value_or(steps.at(step)) - time.offset_ms;
  }
  static size_t up_to(std::span<const int64_t> times_ms, int64_t ms) {
    return static_cast<size_t>(std::ranges::upper_bound(times_ms, ms) - times_ms.begin());
  }

  Status arguments(const Call& call, const Steps& steps, Counts& out) {
    // The second argument of info() is no vector but says which labels to add.
    const size_t count = call.function->name == "info" ? 1 : call.args.size();
    for (size_t i = 0; i < count; ++i) {
      const Expr& argument = without_parens(*call.args[i]);
      if (const auto* subquery = as<Subquery>(argument)) {
        TRY(windows(*subquery, steps, out));
      } else {
        TRY(add(argument, steps, out));
      }
    }
    return {};
  }

  template <typename Series>
  Status each_series(const Expr& selector, const Series& series) {
    TRY_ASSIGN(const auto reader, reads_.stream(plan_.reads()[plan_.read_of(selector)]));
    model::SeriesColumns columns;
    for (;;) {
      TRY_ASSIGN(const bool more, reader->next(columns));
      if (!more) return {};
      TRY(series(columns));
    }
  }

  Status instant(const VectorSelector& selector, const Steps& steps, Counts& out) {
    const TimePlan& time = plan_.time_of(selector);
    const int64_t lookback_ms = meter_.limits().lookback_ms;
    CleanSamples clean;
    return each_series(selector, [&](const model::SeriesColumns& columns) -> Status {
      TRY(meter_.work(out.size()));
      // Smoothed selectors see no end of a series in a stale marker, as ranges do not.
      const Samples all = selector.smoothed ? clean.without_stale(columns)
                                            : Samples{columns.timestamps_ms, columns.values};
      for (size_t i = 0; i < out.size(); ++i) {
        const int64_t at_ms = time_at(time, steps, i);
        const size_t end = up_to(all.times_ms, at_ms);
        if (end == 0 || all.times_ms[end - 1] <= at_ms - lookback_ms) continue;
        out[i] += !model::is_stale(all.values[end - 1]);
      }
      return {};
    });
  }

  Status range(const MatrixSelector& matrix, const Steps& steps, Counts& out) {
    const VectorSelector& selector = *matrix.selector;
    const TimePlan& time = plan_.time_of(matrix);
    const int64_t lookback_ms = meter_.limits().lookback_ms;
    const int64_t before_ms = selector.anchored || selector.smoothed ? lookback_ms : 0;
    const int64_t after_ms = selector.smoothed ? lookback_ms : 0;
    CleanSamples clean;
    return each_series(selector, [&](const model::SeriesColumns& columns) -> Status {
      TRY(meter_.work(out.size()));
      const Samples all = clean.without_stale(columns);
      for (size_t i = 0; i < out.size(); ++i) {
        const int64_t at_ms = time_at(time, steps, i);
        out[i] += up_to(all.times_ms, at_ms + after_ms) -
                  up_to(all.times_ms, at_ms - time.range_ms - before_ms);
      }
      return {};
    });
  }

  // The points of a subquery that a function sees at each step.
  Status windows(const Subquery& subquery, const Steps& steps, Counts& out) {
    const TimePlan& time = plan_.time_of(subquery);
    Steps inner;
    TRY_ASSIGN(const auto source, evaluator_.subquery_source(subquery, steps, inner));
    std::vector<int64_t> times_ms;
    for (Row row;;) {
      TRY_ASSIGN(const bool more, source->next(row));
      if (!more) return {};
      TRY(meter_.work(row.values.size() + out.size()));
      times_ms.clear();
      for (size_t i = 0; i < row.values.size(); ++i) {
        if (!is_absent(row.values[i])) times_ms.push_back(inner.at(i));
      }
      for (size_t i = 0; i < out.size(); ++i) {
        const int64_t at_ms = time_at(time, steps, i);
        out[i] += up_to(times_ms, at_ms) - up_to(times_ms, at_ms - time.range_ms);
      }
    }
  }

  // A subquery that is the query itself: all that its steps look at.
  Status whole_subquery(const Subquery& subquery, const Steps& steps, Counts& out) {
    const auto inner = plan_.subquery_steps(subquery, steps);
    if (!inner) return {};
    TRY(meter_.charge_columns(1, inner->count()));
    Counts counts(inner->count());
    const Status added = add(*subquery.expr, *inner, counts);
    out.back() += std::accumulate(counts.begin(), counts.end(), uint64_t{0});
    meter_.release_bytes(inner->count() * sizeof(double));
    return added;
  }

  const QueryPlan& plan_;
  SeriesReads& reads_;
  Evaluator& evaluator_;
  QueryMeter& meter_;
};

}  // namespace

Result<std::vector<uint64_t>> samples_per_step(const Expr& expr, const QueryPlan& plan,
                                               SeriesReads& reads, Evaluator& evaluator,
                                               QueryMeter& meter) {
  const Steps& steps = plan.query_steps();
  TRY(meter.charge_columns(1, steps.count()));
  Counts counts(steps.count());
  TRY(StepSamples(plan, reads, evaluator, meter).add(expr, steps, counts));
  return counts;
}

}  // namespace binnacle::query::promql
