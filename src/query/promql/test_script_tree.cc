#include "query/promql/test_script_tree.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "query/promql/function_table.h"

namespace binnacle::query::promql {
namespace {

// The nodes right below, in the order written; those of a duration are no selectors.
std::vector<Expr*> children(Expr& expr) {
  std::vector<Expr*> out;
  const auto add = [&](const ExprPtr& child) {
    if (child != nullptr) out.push_back(child.get());
  };
  switch (expr.kind) {
    case Expr::Kind::kMatrixSelector:
      out.push_back(static_cast<MatrixSelector&>(expr).selector.get());
      break;
    case Expr::Kind::kSubquery:
      add(static_cast<Subquery&>(expr).expr);
      break;
    case Expr::Kind::kCall:
      for (const ExprPtr& arg : static_cast<Call&>(expr).args) add(arg);
      break;
    case Expr::Kind::kAggregation:
      add(static_cast<Aggregation&>(expr).param);
      add(static_cast<Aggregation&>(expr).expr);
      break;
    case Expr::Kind::kBinary:
      add(static_cast<BinaryExpr&>(expr).lhs);
      add(static_cast<BinaryExpr&>(expr).rhs);
      break;
    case Expr::Kind::kUnary:
      add(static_cast<UnaryExpr&>(expr).expr);
      break;
    case Expr::Kind::kParen:
      add(static_cast<ParenExpr&>(expr).expr);
      break;
    case Expr::Kind::kNumber:
    case Expr::Kind::kString:
    case Expr::Kind::kVectorSelector:
    case Expr::Kind::kDuration:
      break;
  }
  return out;
}

// Only read through: children() gives what may be changed, for put_at.
std::vector<Expr*> children_of(const Expr& expr) { return children(const_cast<Expr&>(expr)); }

bool selects_info_metrics(const Call& call) { return call.function->name == "info"; }

// info()'s second argument is no selector of its own: without a name it means target_info.
bool info_argument_matches(const Expr& argument, const std::vector<model::Labels>& series) {
  const auto* selector = as<VectorSelector>(without_parens(argument));
  if (selector == nullptr) return any_selector_matches(argument, series);
  const bool named = std::any_of(
      selector->matchers.begin(), selector->matchers.end(),
      [](const model::Matcher& matcher) { return matcher.name() == model::kMetricName; });
  return std::any_of(series.begin(), series.end(), [&](const model::Labels& labels) {
    return (named || labels.metric_name() == "target_info") &&
           model::matches_all(selector->matchers, labels);
  });
}

}  // namespace

bool any_selector_matches(const Expr& expr, const std::vector<model::Labels>& series) {
  if (const auto* selector = as<VectorSelector>(expr)) {
    return std::any_of(series.begin(), series.end(), [&](const model::Labels& labels) {
      return model::matches_all(selector->matchers, labels);
    });
  }
  const auto* call = as<Call>(expr);
  const std::vector<Expr*> below = children_of(expr);
  for (size_t i = 0; i < below.size(); ++i) {
    const bool is_info_argument = call != nullptr && i == 1 && selects_info_metrics(*call);
    if (is_info_argument ? info_argument_matches(*below[i], series)
                         : any_selector_matches(*below[i], series))
      return true;
  }
  return false;
}

bool depends_on_time(const Expr& expr) {
  static constexpr std::array<std::string_view, 15> kUnsafe{
      "day_of_month", "day_of_week", "day_of_year", "days_in_month",  "end",
      "hour",         "minute",      "month",       "predict_linear", "range",
      "start",        "step",        "time",        "timestamp",      "year"};
  if (as<Subquery>(expr) != nullptr) return false;
  if (const auto* call = as<Call>(expr);
      call != nullptr &&
      std::find(kUnsafe.begin(), kUnsafe.end(), call->function->name) != kUnsafe.end())
    return true;
  const std::vector<Expr*> below = children_of(expr);
  return std::any_of(below.begin(), below.end(),
                     [](const Expr* child) { return depends_on_time(*child); });
}

void put_at(Expr& expr, int64_t time_ms) {
  const auto put = [&](AtModifier& at) {
    if (at.kind != AtModifier::Kind::kTime) at = {AtModifier::Kind::kTime, time_ms};
  };
  if (expr.kind == Expr::Kind::kVectorSelector) put(static_cast<VectorSelector&>(expr).at);
  if (expr.kind == Expr::Kind::kSubquery) {
    put(static_cast<Subquery&>(expr).at);
    return;
  }
  for (Expr* child : children(expr)) put_at(*child, time_ms);
}

}  // namespace binnacle::query::promql
