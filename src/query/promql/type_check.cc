#include "query/promql/type_check.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "query/promql/function_table.h"
#include "query/promql/literal_text.h"
#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

class TypeCheck {
 public:
  explicit TypeCheck(std::string_view text) : text_(text) {}

  Status check(Expr& expr);

 private:
  Status expect(Expr& expr, ValueType type, std::string_view context);
  Status binary(BinaryExpr& expr);
  Status operator_modifiers(BinaryExpr& expr) const;
  Status matching(BinaryExpr& expr, bool vectors) const;
  Status call(Call& expr);
  Status argument_count(const Call& expr) const;
  Status info_labels(const Call& expr) const;
  Status aggregation(Aggregation& expr);
  Status selector(const VectorSelector& expr) const;
  PositionRange operator_position(const BinaryExpr& expr) const;

  template <typename... Args>
  Unexpected error(PositionRange at, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: parse error: {}", line_and_column(text_, at.start),
                            fmt::format(format, std::forward<Args>(args)...)));
  }

  const std::string_view text_;
  // The second argument of info() picks labels, and may pick them all.
  const Expr* any_labels_ = nullptr;
};

Status TypeCheck::check(Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kAggregation:
      return aggregation(static_cast<Aggregation&>(expr));
    case Expr::Kind::kBinary:
      return binary(static_cast<BinaryExpr&>(expr));
    case Expr::Kind::kCall:
      return call(static_cast<Call&>(expr));
    case Expr::Kind::kParen:
      return check(*static_cast<ParenExpr&>(expr).expr);
    case Expr::Kind::kMatrixSelector:
      return selector(*static_cast<MatrixSelector&>(expr).selector);
    case Expr::Kind::kVectorSelector:
      return selector(static_cast<VectorSelector&>(expr));
    case Expr::Kind::kUnary: {
      Expr& inner = *static_cast<UnaryExpr&>(expr).expr;
      TRY(check(inner));
      const ValueType type = type_of(inner);
      if (type == ValueType::kScalar || type == ValueType::kVector) return {};
      return error(expr.position,
                   "unary expression only allowed on expressions of type scalar or instant "
                   "vector, got \"{}\"",
                   documented_type_name(type));
    }
    case Expr::Kind::kSubquery: {
      Expr& inner = *static_cast<Subquery&>(expr).expr;
      TRY(check(inner));
      if (type_of(inner) == ValueType::kVector) return {};
      return error(expr.position, "subquery is only allowed on instant vector, got {} instead",
                   value_type_name(type_of(inner)));
    }
    case Expr::Kind::kNumber:
    case Expr::Kind::kString:
    case Expr::Kind::kDuration:
      break;
  }
  return {};
}

Status TypeCheck::expect(Expr& expr, ValueType type, std::string_view context) {
  TRY(check(expr));
  if (type_of(expr) == type) return {};
  return error(expr.position, "expected type {} in {}, got {}", documented_type_name(type), context,
               documented_type_name(type_of(expr)));
}

Status TypeCheck::aggregation(Aggregation& expr) {
  TRY(expect(*expr.expr, ValueType::kVector, "aggregation expression"));
  if (expr.param == nullptr) return {};
  const bool text = expr.op == AggregateOp::kCountValues;
  return expect(*expr.param, text ? ValueType::kString : ValueType::kScalar,
                "aggregation parameter");
}

Status TypeCheck::binary(BinaryExpr& expr) {
  TRY(check(*expr.lhs));
  TRY(check(*expr.rhs));
  TRY(operator_modifiers(expr));
  const ValueType left = type_of(*expr.lhs);
  const ValueType right = type_of(*expr.rhs);
  for (const Expr* side : {expr.lhs.get(), expr.rhs.get()}) {
    const ValueType type = type_of(*side);
    if (type != ValueType::kScalar && type != ValueType::kVector) {
      return error(side->position,
                   "binary expression must contain only scalar and instant vector types");
    }
  }
  TRY(matching(expr, left == ValueType::kVector && right == ValueType::kVector));
  const bool scalar = left == ValueType::kScalar || right == ValueType::kScalar;
  if (scalar && is_set_operator(expr.op)) {
    return error(expr.position, "set operator \"{}\" not allowed in binary scalar expression",
                 binary_op_text(expr.op));
  }
  return {};
}

Status TypeCheck::operator_modifiers(BinaryExpr& expr) const {
  if (expr.return_bool && !is_comparison(expr.op)) {
    return error(operator_position(expr), "bool modifier can only be used on comparison operators");
  }
  if (is_comparison(expr.op) && !expr.return_bool && type_of(expr) == ValueType::kScalar) {
    return error(operator_position(expr), "comparisons between scalars must use BOOL modifier");
  }
  VectorMatching& matching = *expr.matching;
  if (is_set_operator(expr.op) && matching.card == Cardinality::kOneToOne)
    matching.card = Cardinality::kManyToMany;
  if (!matching.on) return {};
  const std::unordered_set<std::string_view> include(matching.include.begin(),
                                                     matching.include.end());
  for (const std::string& label : matching.labels) {
    if (include.contains(label)) {
      return error(operator_position(expr),
                   "label {} must not occur in ON and GROUP clause at once", in_quotes(label));
    }
  }
  return {};
}

Status TypeCheck::matching(BinaryExpr& expr, bool vectors) const {
  const VectorMatching& matching = *expr.matching;
  const bool fills = matching.fill_lhs || matching.fill_rhs;
  if (!vectors) {
    if (!matching.labels.empty())
      return error(expr.position, "vector matching only allowed between instant vectors");
    if (fills) {
      return error(expr.position, "filling in missing series only allowed between instant vectors");
    }
    expr.matching.reset();
    return {};
  }
  if (!is_set_operator(expr.op)) return {};
  if (matching.card != Cardinality::kManyToMany) {
    return error(expr.position, "no grouping allowed for \"{}\" operation",
                 binary_op_text(expr.op));
  }
  if (fills) return error(expr.position, "filling in missing series not allowed for set operators");
  return {};
}

// The operator and its modifiers, without the blanks before them.
PositionRange TypeCheck::operator_position(const BinaryExpr& expr) const {
  const size_t at = text_.find_first_not_of(" \t\n\r", expr.lhs->position.end);
  return {static_cast<uint32_t>(std::min(at, text_.size())), expr.rhs->position.start};
}

Status TypeCheck::call(Call& expr) {
  const FunctionSignature& function = *expr.function;
  TRY(argument_count(expr));
  if (function.name == "info" && expr.args.size() > 1) {
    TRY(info_labels(expr));
    any_labels_ = expr.args[1].get();
  }
  for (size_t i = 0; i < expr.args.size(); ++i) {
    TRY(check(*expr.args[i]));
    const ValueType wanted = function.args[std::min(i, function.args.size() - 1)];
    const ValueType type = type_of(*expr.args[i]);
    if (type == wanted) continue;
    return error(expr.args[i]->position, "expected type {} in call to function \"{}\", got {}",
                 documented_type_name(wanted), function.name, documented_type_name(type));
  }
  return {};
}

Status TypeCheck::argument_count(const Call& expr) const {
  const FunctionSignature& function = *expr.function;
  const size_t wanted = function.args.size();
  const size_t got = expr.args.size();
  if (function.variadic == 0) {
    if (got == wanted) return {};
    return error(expr.position, "expected {} argument(s) in call to \"{}\", got {}", wanted,
                 function.name, got);
  }
  const size_t least = wanted - 1;
  if (got < least) {
    return error(expr.position, "expected at least {} argument(s) in call to \"{}\", got {}", least,
                 function.name, got);
  }
  const size_t most = least + static_cast<size_t>(std::max(function.variadic, 0));
  if (function.variadic > 0 && got > most) {
    return error(expr.position, "expected at most {} argument(s) in call to \"{}\", got {}", most,
                 function.name, got);
  }
  return {};
}

Status TypeCheck::info_labels(const Call& expr) const {
  const Expr& labels = *expr.args[1];
  if (type_of(labels) != ValueType::kVector) {
    return error(expr.position, "expected type {} in call to function \"info\", got {}",
                 documented_type_name(ValueType::kVector), documented_type_name(type_of(labels)));
  }
  const auto* selector = as<VectorSelector>(labels);
  if (selector == nullptr) return error(labels.position, "expected label selectors only");
  if (selector->name.empty()) return {};
  return error(labels.position, "expected label selectors only, got vector selector instead");
}

Status TypeCheck::selector(const VectorSelector& expr) const {
  if (!expr.name.empty()) {
    for (size_t i = 0; i + 1 < expr.matchers.size(); ++i) {
      if (expr.matchers[i].name() != "__name__") continue;
      return error(expr.position, "metric name must not be set twice: {} or {}",
                   in_quotes(expr.name), in_quotes(expr.matchers[i].value()));
    }
    return {};
  }
  if (&expr == any_labels_) return {};
  for (const model::Matcher& matcher : expr.matchers) {
    if (!matcher.matches_empty()) return {};
  }
  return error(expr.position, "vector selector must contain at least one non-empty matcher");
}

}  // namespace

Status check_types(Expr& expr, std::string_view text) { return TypeCheck(text).check(expr); }

}  // namespace binnacle::query::promql
