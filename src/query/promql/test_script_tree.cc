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

}  // namespace

bool depends_on_time(const Expr& expr) {
  // The query's own times, which one evaluated elsewhere does not have.
  static constexpr std::array<std::string_view, 4> kOfQuery{"end", "range", "start", "step"};
  if (as<Subquery>(expr) != nullptr) return false;
  if (const auto* call = as<Call>(expr)) {
    const std::string_view name = call->function->name;
    if (depends_on_step(name) || std::ranges::find(kOfQuery, name) != kOfQuery.end()) return true;
  }
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
