#include "query/promql/ast.h"

#include <array>

#include "query/promql/function_table.h"

namespace binnacle::query::promql {
namespace {

constexpr std::array<std::string_view, 14> kAggregates = {
    "avg", "bottomk", "count",    "count_values", "group",  "limitk", "limit_ratio",
    "max", "min",     "quantile", "stddev",       "stdvar", "sum",    "topk"};

constexpr std::array<std::string_view, 16> kBinaryOps = {
    "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"};

template <typename Node>
const Node& node(const Expr& expr) {
  return static_cast<const Node&>(expr);
}

}  // namespace

std::string_view value_type_name(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kString:
      return "string";
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
  }
  return "none";
}

std::string_view documented_type_name(ValueType type) {
  if (type == ValueType::kVector) return "instant vector";
  if (type == ValueType::kMatrix) return "range vector";
  return value_type_name(type);
}

ValueType type_of(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kNumber:
    case Expr::Kind::kDuration:
      return ValueType::kScalar;
    case Expr::Kind::kString:
      return ValueType::kString;
    case Expr::Kind::kVectorSelector:
    case Expr::Kind::kAggregation:
      return ValueType::kVector;
    case Expr::Kind::kMatrixSelector:
    case Expr::Kind::kSubquery:
      return ValueType::kMatrix;
    case Expr::Kind::kCall:
      return node<Call>(expr).function->returns;
    case Expr::Kind::kBinary: {
      const auto& binary = node<BinaryExpr>(expr);
      const bool scalars =
          type_of(*binary.lhs) == ValueType::kScalar && type_of(*binary.rhs) == ValueType::kScalar;
      return scalars ? ValueType::kScalar : ValueType::kVector;
    }
    case Expr::Kind::kUnary:
      return type_of(*node<UnaryExpr>(expr).expr);
    case Expr::Kind::kParen:
      return type_of(*node<ParenExpr>(expr).expr);
  }
  return ValueType::kScalar;
}

const Expr& without_parens(const Expr& expr) {
  const Expr* inner = &expr;
  while (const auto* paren = as<ParenExpr>(inner)) inner = paren->expr.get();
  return *inner;
}

std::string_view aggregate_name(AggregateOp op) { return kAggregates[static_cast<size_t>(op)]; }

std::string_view binary_op_text(BinaryOp op) { return kBinaryOps[static_cast<size_t>(op)]; }

bool is_comparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kLessOrEqual; }

bool is_set_operator(BinaryOp op) { return op >= BinaryOp::kAnd; }

std::string_view cardinality_text(Cardinality card) {
  switch (card) {
    case Cardinality::kOneToOne:
      return "one-to-one";
    case Cardinality::kManyToOne:
      return "many-to-one";
    case Cardinality::kOneToMany:
      return "one-to-many";
    case Cardinality::kManyToMany:
      return "many-to-many";
  }
  return "";
}

}  // namespace binnacle::query::promql
