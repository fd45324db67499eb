// Expressions: operators, calls, aggregations, literals.
#include "query/promql/grammar.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "query/promql/function_table.h"
#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

struct Operator {
  BinaryOp op;
  int precedence;
};

std::optional<Operator> operator_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr:
      return Operator{BinaryOp::kOr, 1};
    case TokenKind::kAnd:
      return Operator{BinaryOp::kAnd, 2};
    case TokenKind::kUnless:
      return Operator{BinaryOp::kUnless, 2};
    case TokenKind::kEqualEqual:
      return Operator{BinaryOp::kEqual, 3};
    case TokenKind::kNotEqual:
      return Operator{BinaryOp::kNotEqual, 3};
    case TokenKind::kGreater:
      return Operator{BinaryOp::kGreater, 3};
    case TokenKind::kLess:
      return Operator{BinaryOp::kLess, 3};
    case TokenKind::kGreaterOrEqual:
      return Operator{BinaryOp::kGreaterOrEqual, 3};
    case TokenKind::kLessOrEqual:
      return Operator{BinaryOp::kLessOrEqual, 3};
    case TokenKind::kAdd:
      return Operator{BinaryOp::kAdd, kAdditivePrecedence};
    case TokenKind::kSub:
      return Operator{BinaryOp::kSub, kAdditivePrecedence};
    case TokenKind::kMul:
      return Operator{BinaryOp::kMul, kProductPrecedence};
    case TokenKind::kDiv:
      return Operator{BinaryOp::kDiv, kProductPrecedence};
    case TokenKind::kMod:
      return Operator{BinaryOp::kMod, kProductPrecedence};
    case TokenKind::kAtan2:
      return Operator{BinaryOp::kAtan2, kProductPrecedence};
    case TokenKind::kPow:
      return Operator{BinaryOp::kPow, kPowerPrecedence};
    default:
      return std::nullopt;
  }
}

bool takes_parameter(AggregateOp op) {
  switch (op) {
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
    case AggregateOp::kCountValues:
    case AggregateOp::kQuantile:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool starts_expression(TokenKind kind) {
  switch (kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration:
    case TokenKind::kString:
    case TokenKind::kLeftParen:
    case TokenKind::kLeftBrace:
    case TokenKind::kAdd:
    case TokenKind::kSub:
      return true;
    default:
      return may_name_metric(kind);
  }
}

Result<ExprPtr> Grammar::expression(int min_precedence) {
  const Nesting nesting(*this);
  TRY(nesting.check());
  TRY_ASSIGN(ExprPtr lhs, operand());
  for (;;) {
    const TokenKind kind = peek_kind();
    if (kind == TokenKind::kTrimUpper || kind == TokenKind::kTrimLower)
      return error(peek().position, "operators of native histograms are not supported");
    const auto op = operator_of(kind);
    if (!op || op->precedence < min_precedence) return lhs;
    take();
    const bool right = op->op == BinaryOp::kPow;  // 2^3^2 is 2^9
    TRY_ASSIGN(lhs, binary(std::move(lhs), op->op, right ? op->precedence : op->precedence + 1));
  }
}

Result<ExprPtr> Grammar::binary(ExprPtr lhs, BinaryOp op, int rhs_precedence) {
  auto out = std::make_unique<BinaryExpr>();
  out->op = op;
  out->lhs = std::move(lhs);
  TRY(binary_modifiers(*out));
  TRY_ASSIGN(out->rhs, expression(rhs_precedence));
  out->position = {out->lhs->position.start, out->rhs->position.end};
  const VectorMatching& matching = *out->matching;
  if (!options_.experimental && (matching.fill_lhs || matching.fill_rhs))
    return error(out->position, "binop fill modifiers are experimental and not enabled");
  TRY(settle(*out, {out->lhs.get(), out->rhs.get()}));
  return out;
}

Result<ExprPtr> Grammar::operand() {
  if (peek_kind() == TokenKind::kAdd || peek_kind() == TokenKind::kSub) return unary();
  TRY_ASSIGN(ExprPtr expr, primary());
  return postfix(std::move(expr));
}

// A sign binds as a product does: -2^2 is -(2^2), -2*3 is (-2)*3.
Result<ExprPtr> Grammar::unary() {
  const Token sign = take();
  const bool negative = sign.kind == TokenKind::kSub;
  TRY_ASSIGN(ExprPtr expr, expression(kPowerPrecedence));
  if (expr->kind == Expr::Kind::kNumber) {
    auto& number = static_cast<NumberLiteral&>(*expr);
    if (negative) number.value = -number.value;
    number.position.start = sign.position.start;
    return expr;
  }
  auto out = std::make_unique<UnaryExpr>();
  out->negative = negative;
  out->position = {sign.position.start, expr->position.end};
  out->expr = std::move(expr);
  TRY(settle(*out, {out->expr.get()}));
  return out;
}

Result<ExprPtr> Grammar::primary() {
  const TokenKind kind = peek_kind();
  if (kind == TokenKind::kNumber || kind == TokenKind::kDuration) return number_literal();
  if (kind == TokenKind::kString) {
    const Token token = take();
    auto out = std::make_unique<StringLiteral>();
    out->value = unquoted(token.text);
    out->position = token.position;
    return out;
  }
  if (kind == TokenKind::kLeftParen) return parenthesized();
  if (kind == TokenKind::kLeftBrace) return vector_selector(nullptr);
  if (!may_name_metric(kind)) return unexpected();
  const Token name = take();
  const TokenKind next = peek_kind();
  if (next == TokenKind::kLeftParen && may_name_function(kind)) return call(name);
  const bool aggregates =
      next == TokenKind::kLeftParen || next == TokenKind::kBy || next == TokenKind::kWithout;
  if (aggregates && is_aggregation(kind)) return aggregation(name);
  return vector_selector(&name);
}

Result<ExprPtr> Grammar::parenthesized() {
  auto out = std::make_unique<ParenExpr>();
  out->position = take().position;
  TRY_ASSIGN(out->expr, expression(kLowestPrecedence));
  out->position.end = peek().position.end;
  TRY(require(TokenKind::kRightParen));
  TRY(settle(*out, {out->expr.get()}));
  return out;
}

Result<std::unique_ptr<NumberLiteral>> Grammar::number_literal() {
  auto out = std::make_unique<NumberLiteral>();
  if (peek_kind() != TokenKind::kNumber && peek_kind() != TokenKind::kDuration) return unexpected();
  const Token token = take();
  out->position = token.position;
  out->duration = token.kind == TokenKind::kDuration;
  if (out->duration) {
    const auto ns = parse_duration_token_ns(token.text);
    if (!ns) return error(token.position, ns.error().message);
    constexpr int64_t kSecond = 1'000'000'000;
    out->value = static_cast<double>(*ns / kSecond) + static_cast<double>(*ns % kSecond) / 1e9;
  } else {
    const auto value = parse_number(token.text);
    if (!value) return error(token.position, value.error().message);
    out->value = *value;
  }
  return out;
}

Result<ExprPtr> Grammar::call(const Token& name) {
  auto out = std::make_unique<Call>();
  TRY_ASSIGN(out->args, arguments());
  out->function = find_function(name.text);
  if (out->function == nullptr)
    return error(name.position, "unknown function with name " + in_quotes(name.text));
  if (out->function->experimental && !options_.experimental)
    return error(name.position, fmt::format("function {} is not enabled", in_quotes(name.text)));
  out->position = {name.position.start, last_end_};
  for (const ExprPtr& arg : out->args) {
    const uint32_t height = out->height;
    TRY(settle(*out, {arg.get()}));
    out->height = std::max(height, out->height);
  }
  return out;
}

Result<std::vector<ExprPtr>> Grammar::arguments() {
  std::vector<ExprPtr> out;
  TRY(require(TokenKind::kLeftParen));
  if (take_if(TokenKind::kRightParen)) return out;
  for (;;) {
    TRY_ASSIGN(out.emplace_back(), expression(kLowestPrecedence));
    if (peek_kind() != TokenKind::kComma) break;
    const Token comma = take();
    if (!starts_expression(peek_kind()))
      return error(comma.position, "trailing commas not allowed in function call args");
  }
  TRY(require(TokenKind::kRightParen));
  return out;
}

Result<ExprPtr> Grammar::aggregation(const Token& op) {
  const Expecting expecting(*this, "aggregation", "");
  const auto takes_grouping = [this] {
    return peek_kind() == TokenKind::kBy || peek_kind() == TokenKind::kWithout;
  };
  Grouping by;
  const bool leading = takes_grouping();
  if (leading) {
    TRY_ASSIGN(by, grouping());
  }
  TRY_ASSIGN(auto args, arguments());
  if (!leading && takes_grouping()) {
    TRY_ASSIGN(by, grouping());
  }
  return make_aggregation(op, std::move(by), std::move(args), {op.position.start, last_end_});
}

Result<ExprPtr> Grammar::make_aggregation(const Token& op, Grouping grouping,
                                          std::vector<ExprPtr> args, PositionRange position) {
  auto out = std::make_unique<Aggregation>();
  out->op = static_cast<AggregateOp>(static_cast<int>(op.kind) - static_cast<int>(TokenKind::kAvg));
  out->grouping = std::move(grouping);
  out->position = position;
  if (args.empty()) return error(position, "no arguments for aggregate expression provided");
  const bool has_parameter = takes_parameter(out->op);
  const bool experimental = out->op == AggregateOp::kLimitk || out->op == AggregateOp::kLimitRatio;
  if (experimental && !options_.experimental) {
    return error(position, fmt::format("{}() is experimental and must be enabled with "
                                       "--enable-feature=promql-experimental-functions",
                                       aggregate_name(out->op)));
  }
  const size_t desired = has_parameter ? 2 : 1;
  if (args.size() != desired) {
    return error(position, fmt::format("wrong number of arguments for aggregate expression "
                                       "provided, expected {}, got {}",
                                       desired, args.size()));
  }
  if (has_parameter) out->param = std::move(args.front());
  out->expr = std::move(args.back());
  TRY(settle(*out, {out->param.get(), out->expr.get()}));
  return out;
}

}  // namespace binnacle::query::promql
