// A PromQL expression as a tree. The parser builds it, checks its types and never changes it again;
// every node knows which bytes of the query it came from, for errors and annotations. Immutable
// once parsed; any thread. Source: Prometheus documentation, "Querying basics", "Operators",
// "Functions".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/matcher.h"

namespace binnacle::query::promql {

struct FunctionSignature;

// Bytes [start, end) of the query text.
struct PositionRange {
  uint32_t start = 0;
  uint32_t end = 0;
};

enum class ValueType : uint8_t { kScalar, kString, kVector, kMatrix };
std::string_view value_type_name(ValueType type);       // "scalar", "string", "vector", "matrix"
std::string_view documented_type_name(ValueType type);  // "instant vector", "range vector", ...

struct Expr {
  enum class Kind : uint8_t {
    kNumber,
    kString,
    kVectorSelector,
    kMatrixSelector,
    kSubquery,
    kCall,
    kAggregation,
    kBinary,
    kUnary,
    kParen,
    kDuration,
  };
  explicit Expr(Kind k) : kind(k) {}
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  const Kind kind;
  PositionRange position;
  uint32_t height = 1;  // nodes on the longest way down, this one too; ParseOptions bounds it
};
using ExprPtr = std::unique_ptr<Expr>;

ValueType type_of(const Expr& expr);

// The node as what it is: as<Call>(expr) where expr.kind is kCall, null otherwise.
template <typename Node>
const Node* as(const Expr& expr) {
  return expr.kind == Node::kKind ? static_cast<const Node*>(&expr) : nullptr;
}
template <typename Node>
const Node* as(const Expr* expr) {
  return expr == nullptr ? nullptr : as<Node>(*expr);
}
// What stands inside all parentheses round it.
const Expr& without_parens(const Expr& expr);

template <Expr::Kind K>
struct ExprOf : Expr {
  static constexpr Kind kKind = K;
  ExprOf() : Expr(K) {}
};

struct NumberLiteral final : ExprOf<Expr::Kind::kNumber> {
  double value = 0;       // seconds, of a duration
  bool duration = false;  // written as one: 5m
};

struct StringLiteral final : ExprOf<Expr::Kind::kString> {
  std::string value;
};

// Arithmetic where a duration stands: [5m * 2], offset -(1h), [step()], [min(step(), 1m)].
struct DurationExpr final : ExprOf<Expr::Kind::kDuration> {
  enum class Op : uint8_t { kAdd, kSub, kMul, kDiv, kMod, kPow, kStep, kRange, kMin, kMax };
  Op op = Op::kAdd;
  ExprPtr lhs;           // null: unary, or step() or range()
  ExprPtr rhs;           // NumberLiteral or DurationExpr; null: step() or range()
  bool wrapped = false;  // in parentheses
};

// A duration: known while parsing, or an expression whose value depends on the query's range and
// step.
struct Duration {
  int64_t ms = 0;
  ExprPtr expr;  // null: `ms` holds
};

// @ 1603774568, @ start(), @ end()
struct AtModifier {
  enum class Kind : uint8_t { kNone, kTime, kStart, kEnd };
  Kind kind = Kind::kNone;
  int64_t time_ms = 0;
};

struct VectorSelector final : ExprOf<Expr::Kind::kVectorSelector> {
  std::string name;          // as written before the braces; the matchers have it too
  model::Matchers matchers;  // in the order written, the name's last
  Duration offset;
  AtModifier at;
  bool anchored = false;
  bool smoothed = false;
};

struct MatrixSelector final : ExprOf<Expr::Kind::kMatrixSelector> {
  std::unique_ptr<VectorSelector> selector;  // has offset, @, anchored, smoothed
  Duration range;
};

struct Subquery final : ExprOf<Expr::Kind::kSubquery> {
  ExprPtr expr;
  Duration range;
  std::optional<Duration> step;  // nothing: the engine's default
  Duration offset;
  AtModifier at;
};

struct Call final : ExprOf<Expr::Kind::kCall> {
  const FunctionSignature* function = nullptr;  // of function_table.h; never null
  std::vector<ExprPtr> args;
};

enum class AggregateOp : uint8_t {
  kAvg,
  kBottomk,
  kCount,
  kCountValues,
  kGroup,
  kLimitk,
  kLimitRatio,
  kMax,
  kMin,
  kQuantile,
  kStddev,
  kStdvar,
  kSum,
  kTopk,
};
std::string_view aggregate_name(AggregateOp op);  // "sum"

struct Grouping {
  std::vector<std::string> labels;
  bool without = false;
};

struct Aggregation final : ExprOf<Expr::Kind::kAggregation> {
  AggregateOp op = AggregateOp::kSum;
  ExprPtr
      param;  // of topk, bottomk, limitk, limit_ratio, quantile: scalar; of count_values: string
  ExprPtr expr;
  Grouping grouping;
};

enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kGreater,
  kLess,
  kGreaterOrEqual,
  kLessOrEqual,
  kAnd,
  kOr,
  kUnless,
};
std::string_view binary_op_text(BinaryOp op);  // "+", "atan2", "unless"
bool is_comparison(BinaryOp op);
bool is_set_operator(BinaryOp op);

enum class Cardinality : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
std::string_view cardinality_text(Cardinality card);  // "one-to-one"

struct VectorMatching {
  Cardinality card = Cardinality::kOneToOne;  // kManyToMany of set operators alone
  std::vector<std::string> labels;
  bool on = false;                   // match by these labels; else by all but these
  std::vector<std::string> include;  // of group_left(...), group_right(...)
  std::optional<double> fill_lhs;    // stands for a side without a match
  std::optional<double> fill_rhs;
};

struct BinaryExpr final : ExprOf<Expr::Kind::kBinary> {
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs;
  ExprPtr rhs;
  std::optional<VectorMatching> matching;  // when both sides are vectors
  bool return_bool = false;
};

struct UnaryExpr final : ExprOf<Expr::Kind::kUnary> {
  bool negative = false;
  ExprPtr expr;
};

struct ParenExpr final : ExprOf<Expr::Kind::kParen> {
  ExprPtr expr;
};

}  // namespace binnacle::query::promql
