// Durations in brackets and after offset: numbers, or arithmetic of them.
#include "query/promql/grammar.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace binnacle::query::promql {
namespace {

constexpr double kMostSeconds = 9223372036.854775808;  // 2^63 ns

int precedence(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAdd:
    case TokenKind::kSub:
      return kAdditivePrecedence;
    case TokenKind::kMul:
    case TokenKind::kDiv:
    case TokenKind::kMod:
      return kProductPrecedence;
    case TokenKind::kPow:
      return kPowerPrecedence;
    default:
      return 0;
  }
}

DurationExpr::Op duration_op(TokenKind kind) {
  switch (kind) {
    case TokenKind::kSub:
      return DurationExpr::Op::kSub;
    case TokenKind::kMul:
      return DurationExpr::Op::kMul;
    case TokenKind::kDiv:
      return DurationExpr::Op::kDiv;
    case TokenKind::kMod:
      return DurationExpr::Op::kMod;
    case TokenKind::kPow:
      return DurationExpr::Op::kPow;
    case TokenKind::kStep:
      return DurationExpr::Op::kStep;
    case TokenKind::kRange:
      return DurationExpr::Op::kRange;
    case TokenKind::kMinOf:
      return DurationExpr::Op::kMin;
    case TokenKind::kMaxOf:
      return DurationExpr::Op::kMax;
    default:
      return DurationExpr::Op::kAdd;
  }
}

bool is_sign(TokenKind kind) { return kind == TokenKind::kAdd || kind == TokenKind::kSub; }
bool is_literal(TokenKind kind) {
  return kind == TokenKind::kNumber || kind == TokenKind::kDuration;
}
bool is_duration_function(TokenKind kind) {
  return kind >= TokenKind::kStep && kind <= TokenKind::kMinOf;
}

// Marks `expr` as standing in parentheses. Numbers have no such mark and get a plus that is not
// printed.
std::unique_ptr<DurationExpr> wrapped(ExprPtr expr, PositionRange position) {
  if (expr->kind == Expr::Kind::kDuration) {
    std::unique_ptr<DurationExpr> out(static_cast<DurationExpr*>(expr.release()));
    out->wrapped = true;
    return out;
  }
  auto out = std::make_unique<DurationExpr>();
  out->op = DurationExpr::Op::kAdd;
  out->wrapped = true;
  out->position = position;
  out->height = expr->height + 1;
  out->rhs = std::move(expr);
  return out;
}

bool is_zero(const Expr& expr) {
  const auto* number = as<NumberLiteral>(expr);
  return number != nullptr && number->value == 0;
}

}  // namespace

Result<ExprPtr> Grammar::duration_expression(int min_precedence) {
  const Nesting nesting(*this);
  TRY(nesting.check());
  TRY_ASSIGN(ExprPtr lhs, duration_operand());
  return duration_operators(std::move(lhs), min_precedence);
}

Result<ExprPtr> Grammar::duration_operators(ExprPtr lhs, int min_precedence) {
  for (;;) {
    const int binds = precedence(peek_kind());
    if (binds == 0 || binds < min_precedence) return lhs;
    const Token op = take();
    const bool right = op.kind == TokenKind::kPow;
    TRY_ASSIGN(ExprPtr rhs, duration_expression(right ? binds : binds + 1));
    TRY_ASSIGN(lhs, duration_binary(op, std::move(lhs), std::move(rhs)));
  }
}

Result<ExprPtr> Grammar::duration_binary(const Token& op, ExprPtr lhs, ExprPtr rhs) {
  TRY(require_experimental_duration(lhs->position));
  if (op.kind == TokenKind::kDiv && is_zero(*rhs)) return error(op.position, "division by zero");
  if (op.kind == TokenKind::kMod && is_zero(*rhs)) return error(op.position, "modulo by zero");
  auto out = std::make_unique<DurationExpr>();
  out->op = duration_op(op.kind);
  out->position = {lhs->position.start, rhs->position.end};
  out->lhs = std::move(lhs);
  out->rhs = std::move(rhs);
  TRY(settle(*out, {out->lhs.get(), out->rhs.get()}));
  return out;
}

Result<ExprPtr> Grammar::duration_operand() {
  const TokenKind kind = peek_kind();
  if (is_literal(kind)) return duration_literal();
  if (is_duration_function(kind)) return duration_function(nullptr);
  if (kind == TokenKind::kLeftParen) return duration_parens();
  if (!is_sign(kind)) return unexpected();
  const Token sign = take();
  TRY_ASSIGN(ExprPtr expr, duration_expression(kPowerPrecedence));
  return signed_duration(sign, std::move(expr));
}

Result<ExprPtr> Grammar::duration_literal() {
  TRY_ASSIGN(auto number, number_literal());
  const PositionRange at = number->position;
  return in_range(std::move(number), at);
}

Result<ExprPtr> Grammar::in_range(std::unique_ptr<NumberLiteral> number, PositionRange at) {
  if (!(std::abs(number->value) <= kMostSeconds)) return error(at, "duration out of range");
  return number;
}

Result<ExprPtr> Grammar::duration_parens() {
  const PositionRange open = take().position;
  TRY_ASSIGN(ExprPtr expr, duration_expression(kLowestPrecedence));
  TRY(require(TokenKind::kRightParen));
  TRY(require_experimental_duration(expr->position));
  return wrapped(std::move(expr), {open.start, last_end_});
}

// `sign`: where an error stands, if there is one in front.
Result<ExprPtr> Grammar::duration_function(const Token* sign) {
  const Token name = take();
  auto out = std::make_unique<DurationExpr>();
  out->op = duration_op(name.kind);
  TRY(require(TokenKind::kLeftParen));
  if (name.kind == TokenKind::kMinOf || name.kind == TokenKind::kMaxOf) {
    TRY_ASSIGN(out->lhs, duration_expression(kLowestPrecedence));
    TRY(require(TokenKind::kComma));
    TRY_ASSIGN(out->rhs, duration_expression(kLowestPrecedence));
  }
  TRY(require(TokenKind::kRightParen));
  out->position = {name.position.start, last_end_};
  TRY(require_experimental_duration(sign != nullptr ? sign->position : out->position));
  TRY(settle(*out, {out->lhs.get(), out->rhs.get()}));
  return out;
}

Result<ExprPtr> Grammar::signed_duration(const Token& sign, ExprPtr expr) {
  const bool negative = sign.kind == TokenKind::kSub;
  if (expr->kind == Expr::Kind::kNumber) {
    std::unique_ptr<NumberLiteral> number(static_cast<NumberLiteral*>(expr.release()));
    if (negative) number->value = -number->value;
    number->position.start = sign.position.start;
    return in_range(std::move(number), sign.position);
  }
  if (!negative) return expr;
  auto out = std::make_unique<DurationExpr>();
  out->op = DurationExpr::Op::kSub;
  out->position = {sign.position.start, expr->position.end};
  out->rhs = std::move(expr);
  TRY(settle(*out, {out->rhs.get()}));
  return out;
}

// After offset a literal, a function of durations or a signed term stands alone, so that
// `a offset 5m * 2` is a product; only what starts with a parenthesis or with two signs goes on.
Result<ExprPtr> Grammar::offset_duration() {
  const TokenKind kind = peek_kind();
  if (is_literal(kind)) return duration_literal();
  if (is_duration_function(kind)) return duration_function(nullptr);
  if (is_sign(kind)) return signed_offset_duration(take());
  return duration_expression(kLowestPrecedence);
}

Result<ExprPtr> Grammar::signed_offset_duration(const Token& sign) {
  const TokenKind kind = peek_kind();
  if (is_literal(kind)) {
    TRY_ASSIGN(ExprPtr expr, duration_literal());
    return signed_duration(sign, std::move(expr));
  }
  if (is_duration_function(kind)) {
    TRY_ASSIGN(ExprPtr expr, duration_function(&sign));
    return signed_duration(sign, std::move(expr));
  }
  if (take_if(TokenKind::kLeftParen)) {
    TRY_ASSIGN(ExprPtr expr, duration_expression(kLowestPrecedence));
    TRY(require(TokenKind::kRightParen));
    const PositionRange position = expr->position;
    return signed_duration(sign, wrapped(std::move(expr), position));
  }
  TRY_ASSIGN(ExprPtr expr, duration_expression(kPowerPrecedence));
  TRY_ASSIGN(ExprPtr lhs, signed_duration(sign, std::move(expr)));
  return duration_operators(std::move(lhs), kLowestPrecedence);
}

Result<Duration> Grammar::positive_duration() {
  TRY_ASSIGN(ExprPtr expr, duration_expression(kLowestPrecedence));
  const auto* number = as<NumberLiteral>(*expr);
  if (number != nullptr && !(number->value > 0))
    return error(expr->position, "duration must be greater than 0");
  return to_duration(std::move(expr));
}

Result<Duration> Grammar::to_duration(ExprPtr expr) {
  Duration out;
  const auto* number = as<NumberLiteral>(*expr);
  if (number == nullptr) {
    out.expr = std::move(expr);
    return out;
  }
  constexpr double kMostNs = 9223372036854774784.0;  // the last double that fits into 64 bits
  const double ns = std::round(number->value * 1e9);
  out.ms = static_cast<int64_t>(std::clamp(ns, -kMostNs, kMostNs)) / 1'000'000;
  return out;
}

Status Grammar::require_experimental_duration(PositionRange at) {
  if (options_.experimental) return {};
  return error(at, "experimental duration expression is not enabled");
}

}  // namespace binnacle::query::promql
