// Expressions broken into lines.
#include <algorithm>
#include <string>
#include <unordered_set>

#include <fmt/format.h>

#include "query/promql/function_table.h"
#include "query/promql/printer.h"
#include "query/promql/printer_parts.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kMaxLine = 100;

std::string indent(size_t level) { return std::string(2 * level, ' '); }

class PrettyPrinter {
 public:
  explicit PrettyPrinter(const Expr& root) { find_long(&root); }

  std::string print(const Expr& expr, size_t level) const;

 private:
  bool find_long(const Expr* expr);
  bool find_long_children(const Expr& expr);
  std::string aggregation(const Aggregation& aggregation, size_t level) const;
  std::string call(const Call& call, size_t level) const;
  std::string unary(const UnaryExpr& unary, size_t level) const;

  std::unordered_set<const Expr*> long_;  // what does not fit on a line
};

// What holds something long is long itself: no long text is written at every level to be measured.
bool PrettyPrinter::find_long(const Expr* expr) {
  if (expr == nullptr) return false;
  const bool is_long = find_long_children(*expr) || to_string(*expr).size() > kMaxLine;
  if (is_long) long_.insert(expr);
  return is_long;
}

bool PrettyPrinter::find_long_children(const Expr& expr) {
  if (const auto* paren = as<ParenExpr>(expr)) return find_long(paren->expr.get());
  if (const auto* unary = as<UnaryExpr>(expr)) return find_long(unary->expr.get());
  if (const auto* subquery = as<Subquery>(expr)) return find_long(subquery->expr.get());
  bool any = false;
  if (const auto* binary = as<BinaryExpr>(expr)) {
    any = find_long(binary->lhs.get());
    any = find_long(binary->rhs.get()) || any;
  } else if (const auto* aggregation = as<Aggregation>(expr)) {
    any = find_long(aggregation->param.get());
    any = find_long(aggregation->expr.get()) || any;
  } else if (const auto* call = as<Call>(expr)) {
    for (const ExprPtr& arg : call->args) any = find_long(arg.get()) || any;
  }
  return any;
}

std::string PrettyPrinter::aggregation(const Aggregation& aggregation, size_t level) const {
  std::string out = indent(level) + aggregation_head(aggregation) + "(\n";
  if (aggregation.param != nullptr) out += print(*aggregation.param, level + 1) + ",\n";
  return out + print(*aggregation.expr, level + 1) + "\n" + indent(level) + ")";
}

std::string PrettyPrinter::call(const Call& call, size_t level) const {
  std::string out = fmt::format("{}{}(\n", indent(level), call.function->name);
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i > 0) out += ",\n";
    out += print(*call.args[i], level + 1);
  }
  return out + "\n" + indent(level) + ")";
}

// A sign stays with what it stands before, however long that is.
std::string PrettyPrinter::unary(const UnaryExpr& unary, size_t level) const {
  const std::string inner = print(*unary.expr, level);
  const size_t first = std::min(inner.find_first_not_of(' '), inner.size());
  return indent(level) + (unary.negative ? "-" : "+") + inner.substr(first);
}

std::string PrettyPrinter::print(const Expr& expr, size_t level) const {
  if (const auto* sign = as<UnaryExpr>(expr)) return unary(*sign, level);
  const auto* subquery = as<Subquery>(expr);
  if (!long_.contains(&expr)) return (subquery ? "" : indent(level)) + to_string(expr);
  if (subquery != nullptr) {
    std::string out = print(*subquery->expr, level);
    append_subquery_suffix(out, *subquery);
    return out;
  }
  if (const auto* over = as<Aggregation>(expr)) return aggregation(*over, level);
  if (const auto* function = as<Call>(expr)) return call(*function, level);
  if (const auto* paren = as<ParenExpr>(expr)) {
    return fmt::format("{}(\n{}\n{})", indent(level), print(*paren->expr, level + 1),
                       indent(level));
  }
  if (const auto* binary = as<BinaryExpr>(expr)) {
    const std::string lhs =
        has_infinite_base(*binary) ? indent(level + 1) + "Inf" : print(*binary->lhs, level + 1);
    return fmt::format("{}\n{}{}\n{}", lhs, indent(level), operator_text(*binary),
                       print(*binary->rhs, level + 1));
  }
  return indent(level) + to_string(expr);
}

}  // namespace

std::string pretty(const Expr& expr) { return PrettyPrinter(expr).print(expr, 0); }

}  // namespace binnacle::query::promql
