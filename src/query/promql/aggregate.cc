#include "query/promql/aggregate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/utf8.h"
#include "query/promql/aggregator.h"
#include "query/promql/literal_text.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

// The largest double below 2^63, and -2^63: what Prometheus can make an int64 of.
constexpr double kLargestInt = 9223372036854774784.0;
constexpr double kSmallestInt = -9223372036854775808.0;

struct Range {
  double min = 0;
  double max = 0;
  bool nan = false;
};

Range range_of(const std::vector<double>& values) {
  constexpr double kMost = std::numeric_limits<double>::max();
  Range out{kMost, -kMost, false};
  for (const double value : values) {
    out.nan |= std::isnan(value);
    out.min = std::min(out.min, value);
    out.max = std::max(out.max, value);
  }
  if (out.nan && !std::isinf(out.max)) out.max = NAN;
  if (out.nan && !std::isinf(out.min)) out.min = NAN;
  return out;
}

// Whether the answer can have rows at all.
Result<bool> check_k(const Range& k) {
  if (k.max < 1) return false;
  if (k.nan) return fail(Code::kOutOfRange, "Parameter value is NaN");
  if (k.min <= kSmallestInt) {
    return fail(Code::kOutOfRange,
                fmt::format("Scalar value {} underflows int64", number_text(k.min)));
  }
  if (k.max >= kLargestInt) {
    return fail(Code::kOutOfRange,
                fmt::format("Scalar value {} overflows int64", number_text(k.max)));
  }
  return true;
}

Result<bool> check_ratio(const Range& ratio, PositionRange at, Annotations& annotations) {
  if (ratio.max == 0 && ratio.min == 0) return false;
  if (ratio.nan) return fail(Code::kOutOfRange, "Ratio value is NaN");
  const auto warn = [&](double value, int limit) {
    annotations.warn(fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                                 number_text(value), limit),
                     at);
  };
  if (ratio.max > 1) warn(ratio.max, 1);
  if (ratio.min < -1) warn(ratio.min, -1);
  return true;
}

void check_quantile(const Range& quantile, PositionRange at, Annotations& annotations) {
  const auto warn = [&](double value) { annotations.warn(odd_quantile_text(value), at); };
  if (quantile.nan) warn(NAN);
  if (quantile.max > 1) warn(quantile.max);
  if (quantile.min < 0) warn(quantile.min);
}

// Adds all rows, at the first next().
class Aggregated final : public RowSource {
 public:
  Aggregated(RowSourcePtr rows, AggregatorPtr aggregator, EvalContext& context)
      : rows_(std::move(rows)), aggregator_(std::move(aggregator)), meter_(context.meter) {}

  Result<bool> next(Row& out) override {
    if (rows_ != nullptr) TRY(add_all());
    TRY_ASSIGN(const bool more, aggregator_->next(out));
    if (more) TRY(meter_.work(out.values.size()));
    return more;
  }

 private:
  Status add_all() {
    Row row;
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(row));
      if (!more) break;
      TRY(meter_.work(row.values.size()));
      TRY(aggregator_->add(row));
    }
    rows_.reset();  // with what it holds
    return aggregator_->finish();
  }

  RowSourcePtr rows_;  // null once all are added
  AggregatorPtr aggregator_;
  QueryMeter& meter_;
};

// An aggregation that chooses nothing still reads its input, for its errors and annotations.
class Nothing final : public Aggregator {
 public:
  Status add(const Row&) override { return {}; }
  Result<bool> next(Row&) override { return false; }
};

Result<AggregatorPtr> make_aggregator(const Aggregation& expr, AggregateParam& param,
                                      EvalContext& context) {
  switch (expr.op) {
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk: {
      TRY_ASSIGN(const bool any, check_k(range_of(param.scalar)));
      if (!any) return std::make_unique<Nothing>();
      return make_top_aggregator(expr, std::move(param.scalar), context);
    }
    case AggregateOp::kQuantile:
      check_quantile(range_of(param.scalar), expr.param->position, context.annotations);
      return make_quantile_aggregator(expr, std::move(param.scalar), context);
    case AggregateOp::kCountValues:
      if (param.text.empty() || !is_valid_utf8(param.text)) {
        return fail(Code::kOutOfRange, "invalid label name " + in_quotes(param.text));
      }
      return make_count_values_aggregator(expr, std::move(param.text), context);
    default:
      return make_column_aggregator(expr, context);
  }
}

}  // namespace

Result<RowSourcePtr> aggregate(const Aggregation& expr, RowSourcePtr rows, AggregateParam param,
                               EvalContext& context) {
  if (expr.op == AggregateOp::kLimitk || expr.op == AggregateOp::kLimitRatio) {
    const Range range = range_of(param.scalar);
    TRY_ASSIGN(const bool any, expr.op == AggregateOp::kLimitk
                                   ? check_k(range)
                                   : check_ratio(range, expr.param->position, context.annotations));
    if (any) return limit_rows(expr, std::move(rows), std::move(param.scalar), context);
    return std::make_unique<Aggregated>(std::move(rows), std::make_unique<Nothing>(), context);
  }
  TRY_ASSIGN(AggregatorPtr aggregator, make_aggregator(expr, param, context));
  return std::make_unique<Aggregated>(std::move(rows), std::move(aggregator), context);
}

}  // namespace binnacle::query::promql
