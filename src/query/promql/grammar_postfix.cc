// What follows an expression: [5m], [1h:5m], offset, @, anchored, smoothed.
#include "query/promql/grammar.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace binnacle::query::promql {
namespace {

// Where offset and @ of an expression are kept; nulls: it can have none.
struct TimeModifiers {
  Duration* offset = nullptr;
  AtModifier* at = nullptr;
};

TimeModifiers time_modifiers(Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kVectorSelector: {
      auto& selector = static_cast<VectorSelector&>(expr);
      return {&selector.offset, &selector.at};
    }
    case Expr::Kind::kMatrixSelector: {
      auto& selector = *static_cast<MatrixSelector&>(expr).selector;
      return {&selector.offset, &selector.at};
    }
    case Expr::Kind::kSubquery: {
      auto& subquery = static_cast<Subquery&>(expr);
      return {&subquery.offset, &subquery.at};
    }
    default:
      return {};
  }
}

bool is_set(const Duration& duration) { return duration.ms != 0 || duration.expr != nullptr; }

std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:f}", value);
}

}  // namespace

Result<ExprPtr> Grammar::postfix(ExprPtr expr) {
  for (;;) {
    switch (peek_kind()) {
      case TokenKind::kLeftBracket: {
        TRY_ASSIGN(expr, range_or_subquery(std::move(expr)));
        break;
      }
      case TokenKind::kOffset:
        TRY(offset(*expr));
        break;
      case TokenKind::kAt:
        TRY(at_modifier(*expr));
        break;
      case TokenKind::kAnchored:
      case TokenKind::kSmoothed:
        TRY(extended_range(take(), *expr));
        break;
      default:
        return expr;
    }
  }
}

Result<ExprPtr> Grammar::range_or_subquery(ExprPtr expr) {
  const PositionRange open = take().position;
  Expecting expecting(*this, "subquery or range selector", "number, duration, step(), or range()");
  TRY_ASSIGN(Duration range, positive_duration());
  expecting.now("subquery or range", "\":\" or \"]\"");
  if (take_if(TokenKind::kColon)) return subquery(std::move(expr), std::move(range), expecting);
  TRY(require(TokenKind::kRightBracket));
  return matrix_selector(std::move(expr), std::move(range), {open.start, last_end_});
}

Result<ExprPtr> Grammar::subquery(ExprPtr expr, Duration range, Expecting& expecting) {
  auto out = std::make_unique<Subquery>();
  out->range = std::move(range);
  expecting.now("subquery selector", "number, duration, step(), range(), or \"]\"");
  if (peek_kind() != TokenKind::kRightBracket) {
    TRY_ASSIGN(out->step, positive_duration());
    expecting.now("\"]\"");
  }
  TRY(require(TokenKind::kRightBracket));
  out->position = {expr->position.start, last_end_};
  out->expr = std::move(expr);
  TRY(settle(*out, {out->expr.get()}));
  return out;
}

Result<ExprPtr> Grammar::matrix_selector(ExprPtr expr, Duration range, PositionRange brackets) {
  if (expr->kind != Expr::Kind::kVectorSelector)
    return error(brackets, "ranges only allowed for vector selectors");
  auto out = std::make_unique<MatrixSelector>();
  out->selector.reset(static_cast<VectorSelector*>(expr.release()));
  if (is_set(out->selector->offset))
    return error(brackets, "no offset modifiers allowed before range");
  if (out->selector->at.kind != AtModifier::Kind::kNone)
    return error(brackets, "no @ modifiers allowed before range");
  out->range = std::move(range);
  out->position = {out->selector->position.start, brackets.end};
  TRY(settle(*out, {out->selector.get()}));
  return out;
}

Status Grammar::offset(Expr& expr) {
  take();
  Expecting expecting(*this, "offset", "number, duration, step(), or range()");
  TRY_ASSIGN(ExprPtr value, offset_duration());
  TRY_ASSIGN(Duration duration, to_duration(std::move(value)));
  Duration* const offset = time_modifiers(expr).offset;
  if (offset == nullptr) {
    return error(expr.position,
                 "offset modifier must be preceded by an instant vector selector or range vector "
                 "selector or a subquery");
  }
  if (is_set(*offset)) return error(expr.position, "offset may not be set multiple times");
  *offset = std::move(duration);
  expr.position.end = last_end_;
  return {};
}

Status Grammar::at_modifier(Expr& expr) {
  take();
  const Expecting expecting(*this, "@", "timestamp");
  TRY_ASSIGN(const AtModifier value, at_time(expr));
  AtModifier* const at = time_modifiers(expr).at;
  if (at == nullptr) {
    return error(expr.position,
                 "@ modifier must be preceded by an instant vector selector or range vector "
                 "selector or a subquery");
  }
  if (at->kind != AtModifier::Kind::kNone)
    return error(expr.position, "@ <timestamp> may not be set multiple times");
  *at = value;
  expr.position.end = last_end_;
  return {};
}

Result<AtModifier> Grammar::at_time(const Expr& expr) {
  const TokenKind kind = peek_kind();
  if (kind == TokenKind::kStart || kind == TokenKind::kEndFunction) {
    take();
    TRY(require(TokenKind::kLeftParen));
    TRY(require(TokenKind::kRightParen));
    return AtModifier{kind == TokenKind::kStart ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd,
                      0};
  }
  const bool negative = kind == TokenKind::kSub;
  if (negative || kind == TokenKind::kAdd) take();
  TRY_ASSIGN(const auto number, number_literal());
  const double seconds = negative ? -number->value : number->value;
  constexpr double kLimit = 9223372036854775808.0;  // of 64 bits
  if (!(seconds > -kLimit && seconds < kLimit)) {
    return error(expr.position,
                 fmt::format("timestamp out of bounds for @ modifier: {}", float_text(seconds)));
  }
  const double ms = std::round(seconds * 1000);
  if (!(ms > -kLimit && ms < kLimit)) {
    return error(expr.position,
                 fmt::format("timestamp out of bounds for @ modifier: {}", float_text(seconds)));
  }
  return AtModifier{AtModifier::Kind::kTime, static_cast<int64_t>(ms)};
}

Status Grammar::extended_range(const Token& word, Expr& expr) {
  const bool anchored = word.kind == TokenKind::kAnchored;
  const std::string_view name = anchored ? "anchored" : "smoothed";
  if (!options_.experimental) {
    return error(expr.position, fmt::format("{} modifier is experimental and not enabled", name));
  }
  if (expr.kind == Expr::Kind::kSubquery) {
    return error(expr.position, fmt::format("{} modifier is not supported for subqueries", name));
  }
  VectorSelector* selector = nullptr;
  if (expr.kind == Expr::Kind::kVectorSelector) selector = static_cast<VectorSelector*>(&expr);
  if (expr.kind == Expr::Kind::kMatrixSelector)
    selector = static_cast<MatrixSelector&>(expr).selector.get();
  if (selector == nullptr)
    return error(expr.position, fmt::format("{} modifier not implemented", name));
  (anchored ? selector->anchored : selector->smoothed) = true;
  if (selector->anchored && selector->smoothed) {
    return error(expr.position, "anchored and smoothed modifiers cannot be used together");
  }
  return {};
}

}  // namespace binnacle::query::promql
