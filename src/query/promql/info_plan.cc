#include "query/promql/info_plan.h"

#include <algorithm>

namespace binnacle::query::promql {
namespace {

using model::Matcher;
using model::MatchOp;

// Offset and @ of the first selector, shifted by the subqueries round it until one is fixed by @.
std::optional<TimePlan> first_time(const Expr& expr, const QueryPlan& plan) {
  const auto of_first = [&](std::initializer_list<const Expr*> parts) -> std::optional<TimePlan> {
    for (const Expr* part : parts) {
      if (part == nullptr) continue;
      if (const auto time = first_time(*part, plan)) return time;
    }
    return std::nullopt;
  };
  switch (expr.kind) {
    case Expr::Kind::kVectorSelector: {
      TimePlan time = plan.time_of(expr);
      time.range_ms = 0;
      return time;
    }
    case Expr::Kind::kMatrixSelector:
      return of_first({as<MatrixSelector>(expr)->selector.get()});
    case Expr::Kind::kSubquery: {
      auto time = first_time(*as<Subquery>(expr)->expr, plan);
      if (!time || time->at_ms) return time;
      time->offset_ms += plan.time_of(expr).offset_ms;
      time->at_ms = plan.time_of(expr).at_ms;
      return time;
    }
    case Expr::Kind::kCall:
      for (const ExprPtr& arg : as<Call>(expr)->args) {
        if (const auto time = first_time(*arg, plan)) return time;
      }
      return std::nullopt;
    case Expr::Kind::kAggregation:
      return of_first({as<Aggregation>(expr)->expr.get(), as<Aggregation>(expr)->param.get()});
    case Expr::Kind::kBinary:
      return of_first({as<BinaryExpr>(expr)->lhs.get(), as<BinaryExpr>(expr)->rhs.get()});
    case Expr::Kind::kUnary:
      return of_first({as<UnaryExpr>(expr)->expr.get()});
    case Expr::Kind::kParen:
      return of_first({as<ParenExpr>(expr)->expr.get()});
    default:
      return std::nullopt;
  }
}

}  // namespace

TimePlan info_time(const Call& call, const QueryPlan& plan) {
  return first_time(*call.args[0], plan).value_or(TimePlan());
}

Result<model::Matchers> info_matchers(const Call& call) {
  model::Matchers matchers;
  if (call.args.size() > 1) matchers = as<VectorSelector>(without_parens(*call.args[1]))->matchers;
  const auto of_name = [](const Matcher& matcher) { return matcher.name() == model::kMetricName; };
  const auto says_which = [&](const Matcher& matcher) {
    return of_name(matcher) && (matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegex);
  };
  if (std::ranges::any_of(matchers, says_which)) return matchers;
  const bool says_which_not = std::ranges::any_of(matchers, of_name);
  TRY_ASSIGN(auto name, Matcher::create(says_which_not ? MatchOp::kRegex : MatchOp::kEqual,
                                        std::string(model::kMetricName),
                                        says_which_not ? ".+_info" : "target_info"));
  matchers.push_back(std::move(name));
  return matchers;
}

}  // namespace binnacle::query::promql
