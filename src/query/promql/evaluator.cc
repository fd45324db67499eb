#include "query/promql/evaluator.h"

#include <algorithm>

#include "base/check.h"
#include "query/promql/binary.h"
#include "query/promql/function_table.h"
#include "query/promql/info_function.h"
#include "query/promql/range_rows.h"
#include "query/promql/series_rows.h"

namespace binnacle::query::promql {
namespace {

// Rows that were evaluated at one step, for all of them.
class Broadcast final : public RowSource {
 public:
  Broadcast(RowSourcePtr rows, size_t steps, QueryMeter& meter)
      : rows_(std::move(rows)), meter_(meter), values_(steps) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    TRY(meter_.work(values_.size()));
    std::ranges::fill(values_, out.values[0]);
    out.values = values_;
    return true;
  }

 private:
  const RowSourcePtr rows_;
  QueryMeter& meter_;
  std::vector<double> values_;
};

class HeldRows final : public RowSource {
 public:
  HeldRows(std::shared_ptr<const std::vector<OwnedRow>> rows, QueryMeter& meter)
      : rows_(std::move(rows)), meter_(meter) {}

  Result<bool> next(Row& out) override {
    if (at_ == rows_->size()) return false;
    out = (*rows_)[at_++].row();
    TRY(meter_.work(out.values.size()));
    return true;
  }

 private:
  const std::shared_ptr<const std::vector<OwnedRow>> rows_;  // by all that show them
  QueryMeter& meter_;
  size_t at_ = 0;
};

class NameDropped final : public RowSource {
 public:
  explicit NameDropped(RowSourcePtr rows) : rows_(std::move(rows)) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    out.drop_name = true;
    return more;
  }

 private:
  const RowSourcePtr rows_;
};

// What an operator works in beside what it holds: its output and two columns more.
constexpr size_t kColumnsOfOperator = 3;
// What the samples of a subquery are looked at through: their times, those of one row and its
// values, sums over these.
constexpr size_t kColumnsOfSubquery = 8;

bool is_range(const Expr& expr) { return type_of(expr) == ValueType::kMatrix; }

// start(), end(), range() and step() of the whole query, in seconds.
std::optional<double> query_constant(std::string_view function, const Steps& query) {
  const auto seconds = [](int64_t ms) { return static_cast<double>(ms) / 1000; };
  if (function == "start") return seconds(query.start_ms);
  if (function == "end") return seconds(query.end_ms);
  if (function == "range") return seconds(query.end_ms - query.start_ms);
  if (function == "step") return query.start_ms == query.end_ms ? 0 : seconds(query.step_ms);
  return std::nullopt;
}

}  // namespace

Evaluator::Evaluator(const QueryPlan& plan, SeriesReads& reads, QueryMeter& meter,
                     Annotations& annotations, ThreadPool* helpers)
    : plan_(plan),
      reads_(reads),
      meter_(meter),
      annotations_(annotations),
      helpers_(helpers),
      top_(context_of(plan.query_steps())),
      held_bytes_(meter) {}

EvalContext& Evaluator::context_of(const Steps& steps) {
  return contexts_.emplace_back(EvalContext{steps, meter_, annotations_, helpers_});
}

const std::string& Evaluator::text(const Expr& expr) {
  const auto* literal = as<StringLiteral>(without_parens(expr));
  CHECK(literal != nullptr);
  return literal->value;
}

Result<RowSourcePtr> Evaluator::rows(const Expr& outer, EvalContext& context) {
  const Expr& expr = without_parens(outer);
  const auto part = plan_.repeated(expr);
  if (!part) return rows_once(expr, context);
  const Steps& steps = context.steps;
  const auto key = std::tuple(*part, steps.start_ms, steps.end_ms, steps.step_ms);
  if (!held_.contains(key)) {
    TRY_ASSIGN(const auto source, rows_once(expr, context));
    TRY_ASSIGN(auto held, hold_rows(*source, held_bytes_));
    held_[key] = std::make_shared<const std::vector<OwnedRow>>(std::move(held));
  }
  return std::make_unique<HeldRows>(held_[key], meter_);
}

Result<RowSourcePtr> Evaluator::rows_once(const Expr& expr, EvalContext& context) {
  const Steps& steps = context.steps;
  TRY(meter_.charge_columns(kColumnsOfOperator, steps.count()));
  if (steps.count() == 1 || !plan_.step_invariant(expr)) return rows_at_each_step(expr, context);
  EvalContext& one = context_of({steps.start_ms, steps.start_ms, 0});
  TRY_ASSIGN(auto source, rows_at_each_step(expr, one));
  return std::make_unique<Broadcast>(std::move(source), steps.count(), meter_);
}

Result<RowSourcePtr> Evaluator::rows_at_each_step(const Expr& expr, EvalContext& context) {
  switch (expr.kind) {
    case Expr::Kind::kVectorSelector:
      return selector(*as<VectorSelector>(expr), SelectorValue::kSample, context);
    case Expr::Kind::kCall:
      return call(*as<Call>(expr), context);
    case Expr::Kind::kAggregation:
      return aggregation(*as<Aggregation>(expr), context);
    case Expr::Kind::kBinary:
      return binary(*as<BinaryExpr>(expr), context);
    case Expr::Kind::kUnary: {
      const auto& unary = *as<UnaryExpr>(expr);
      TRY_ASSIGN(auto source, rows(*unary.expr, context));
      return unary.negative ? negate(std::move(source)) : std::move(source);
    }
    default:
      break;
  }
  CHECK(false);  // the parser checked types
  return nullptr;
}

Result<RowSourcePtr> Evaluator::selector(const VectorSelector& selector, SelectorValue value,
                                         EvalContext& context) {
  TRY_ASSIGN(auto reader, reads_.open(plan_.read_of(selector)));
  const TimePlan& time = plan_.time_of(selector);
  return series_rows(
      std::move(reader),
      selector.smoothed ? smoothed_rows(time, context) : selector_rows(time, value, context),
      context);
}

Result<RowSourcePtr> Evaluator::call(const Call& call, EvalContext& context) {
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (is_range(*call.args[i])) return range_call(call, i, context);
  }
  const std::string_view name = call.function->name;
  if (name == "info") return info(call, context);
  if (name == "timestamp") {
    const auto* plain = as<VectorSelector>(without_parens(*call.args[0]));
    if (plain != nullptr) {
      TRY_ASSIGN(auto source, selector(*plain, SelectorValue::kSampleSeconds, context));
      return std::make_unique<NameDropped>(std::move(source));
    }
  }
  TRY_ASSIGN(auto args, arguments(call, context));
  return call_on_rows(call, std::move(args), context);
}

Result<RowSourcePtr> Evaluator::info(const Call& call, EvalContext& context) {
  TRY_ASSIGN(auto base, rows(*call.args[0], context));
  // Of several info series the one with the newest sample holds, so their samples' times count.
  auto select = [this, &call, &context](const model::Matchers& more) -> Result<RowSourcePtr> {
    ReadPlan read = plan_.reads()[plan_.read_of(call)];
    read.matchers.insert(read.matchers.end(), more.begin(), more.end());
    TRY_ASSIGN(auto reader, reads_.stream(read));
    return series_rows(std::move(reader),
                       selector_rows(plan_.time_of(call), SelectorValue::kSampleSeconds, context),
                       context);
  };
  return promql::info(call, std::move(base), std::move(select), context);
}

Result<std::vector<Argument>> Evaluator::arguments(const Call& call, EvalContext& context) {
  std::vector<Argument> args;
  for (const ExprPtr& arg : call.args) {
    TRY_ASSIGN(Argument value, argument(*arg, context));
    args.push_back(std::move(value));
  }
  return args;
}

Result<Argument> Evaluator::argument(const Expr& expr, EvalContext& context) {
  Argument argument;
  argument.type = type_of(expr);
  if (argument.type == ValueType::kString) {
    argument.text = text(expr);
  } else if (argument.type == ValueType::kScalar) {
    TRY_ASSIGN(argument.scalar, scalar(expr, context));
  } else {
    TRY_ASSIGN(argument.rows, rows(expr, context));
  }
  return argument;
}

Result<RowSourcePtr> Evaluator::range_call(const Call& call, size_t range_arg,
                                           EvalContext& context) {
  const Expr& range = without_parens(*call.args[range_arg]);
  RangeWork work{call,          {},     plan_.time_of(range),
                 context.steps, meter_, meter_.limits().lookback_ms};
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i == range_arg) continue;
    TRY_ASSIGN(auto values, scalar(*call.args[i], context));
    work.scalars.push_back(std::move(values));
  }
  RowSourcePtr result;
  if (const auto* subquery = as<Subquery>(range)) {
    Steps inner;
    TRY_ASSIGN(auto source, subquery_source(*subquery, context.steps, inner));
    result = subquery_rows(std::make_shared<RangeWork>(std::move(work)), std::move(source), inner,
                           annotations_);
  } else {
    const VectorSelector& selector = *as<MatrixSelector>(range)->selector;
    work.anchored = selector.anchored;
    work.smoothed = selector.smoothed;
    TRY_ASSIGN(auto reader, reads_.open(plan_.read_of(selector)));
    result = series_rows(std::move(reader),
                         range_rows(std::make_shared<RangeWork>(std::move(work))), context);
  }
  if (call.function->name != "absent_over_time") return result;
  return absent(range, std::move(result), context);
}

Result<RowSourcePtr> Evaluator::subquery_source(const Subquery& subquery, const Steps& outer,
                                                Steps& inner) {
  const auto steps = plan_.subquery_steps(subquery, outer);
  if (!steps) return std::make_unique<OwnedRows>(std::vector<OwnedRow>());
  inner = *steps;
  // Rows are as long as that, so a subquery of absurdly many steps ends here.
  TRY(meter_.charge_columns(kColumnsOfSubquery, inner.count()));
  EvalContext& context = context_of(inner);
  if (type_of(*subquery.expr) == ValueType::kVector) return rows(*subquery.expr, context);
  TRY_ASSIGN(auto values, scalar(*subquery.expr, context));
  std::vector<OwnedRow> one;
  one.push_back({model::Labels(), false, std::move(values)});
  return std::make_unique<OwnedRows>(std::move(one));
}

Result<RowSourcePtr> Evaluator::aggregation(const Aggregation& aggregation, EvalContext& context) {
  AggregateParam param;
  if (aggregation.param != nullptr) {
    if (type_of(*aggregation.param) == ValueType::kString) {
      param.text = text(*aggregation.param);
    } else {
      TRY_ASSIGN(param.scalar, scalar(*aggregation.param, context));
    }
  }
  TRY_ASSIGN(auto source, rows(*aggregation.expr, context));
  return aggregate(aggregation, std::move(source), std::move(param), context);
}

Result<RowSourcePtr> Evaluator::binary(const BinaryExpr& binary, EvalContext& context) {
  const bool lhs_is_scalar = type_of(*binary.lhs) == ValueType::kScalar;
  if (lhs_is_scalar || type_of(*binary.rhs) == ValueType::kScalar) {
    const Expr& scalar_side = lhs_is_scalar ? *binary.lhs : *binary.rhs;
    const Expr& vector_side = lhs_is_scalar ? *binary.rhs : *binary.lhs;
    TRY_ASSIGN(auto values, scalar(scalar_side, context));
    TRY_ASSIGN(auto source, rows(vector_side, context));
    return vector_scalar(binary, std::move(source), std::move(values), lhs_is_scalar, context);
  }
  TRY_ASSIGN(auto lhs, rows(*binary.lhs, context));
  TRY_ASSIGN(auto rhs, rows(*binary.rhs, context));
  return vector_vector(binary, std::move(lhs), std::move(rhs), context);
}

// The column is charged until the query ends or release_column(), as nobody tells when the operator
// that takes it is done with it.
Result<std::vector<double>> Evaluator::scalar(const Expr& outer, EvalContext& context) {
  const Expr& expr = without_parens(outer);
  const Steps& steps = context.steps;
  TRY(meter_.charge_columns(1, steps.count()));
  if (steps.count() == 1 || !plan_.step_invariant(expr)) return scalar_at_each_step(expr, context);
  EvalContext& one = context_of({steps.start_ms, steps.start_ms, 0});
  TRY_ASSIGN(const auto value, scalar_at_each_step(expr, one));
  return std::vector<double>(steps.count(), value[0]);
}

void Evaluator::release_column(const std::vector<double>& column) {
  meter_.release_bytes(column.size() * sizeof(double));
}

Result<std::vector<double>> Evaluator::scalar_at_each_step(const Expr& expr, EvalContext& context) {
  const size_t count = context.steps.count();
  if (const auto* number = as<NumberLiteral>(expr))
    return std::vector<double>(count, number->value);
  if (const auto* unary = as<UnaryExpr>(expr)) {
    TRY_ASSIGN(auto values, scalar(*unary->expr, context));
    release_column(values);  // the caller has charged it
    if (unary->negative) {
      for (double& value : values) value = -value;
    }
    return values;
  }
  if (const auto* binary = as<BinaryExpr>(expr)) return scalar_binary_of(*binary, context);
  const auto* call = as<Call>(expr);
  CHECK(call != nullptr);  // the parser checked types
  if (const auto constant = query_constant(call->function->name, plan_.query_steps()))
    return std::vector<double>(count, *constant);
  TRY_ASSIGN(auto args, arguments(*call, context));
  return call_scalar(*call, std::move(args), context);
}

Result<std::vector<double>> Evaluator::scalar_binary_of(const BinaryExpr& binary,
                                                        EvalContext& context) {
  TRY_ASSIGN(auto lhs, scalar(*binary.lhs, context));
  TRY_ASSIGN(const auto rhs, scalar(*binary.rhs, context));
  scalar_binary(binary.op, lhs, rhs, lhs);
  release_column(lhs);
  release_column(rhs);
  return lhs;
}

}  // namespace binnacle::query::promql
