#include "query/promql/grammar.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::query::promql {

const Token& Grammar::peek() {
  if (!has_token_) {
    token_ = lexer_.next();
    has_token_ = true;
  }
  return token_;
}

Token Grammar::take() {
  peek();
  has_token_ = false;
  last_end_ = token_.position.end;
  return std::move(token_);
}

bool Grammar::take_if(TokenKind kind) {
  if (peek_kind() != kind) return false;
  take();
  return true;
}

Status Grammar::require(TokenKind kind) {
  if (!take_if(kind)) return unexpected();
  return {};
}

Unexpected Grammar::unexpected() {
  const Token& token = peek();
  std::string what = "unexpected " + describe(token);
  if (!expectation_.where.empty()) what += fmt::format(" in {}", expectation_.where);
  if (!expectation_.what.empty()) what += fmt::format(", expected {}", expectation_.what);
  return error(token.position, what);
}

Unexpected Grammar::error(PositionRange at, std::string_view what) {
  // The lexer's error was there first, as its token had been looked at.
  if (has_token_ && token_.kind == TokenKind::kError) {
    at = token_.position;
    what = token_.error;
  }
  return fail(Code::kInvalidArgument,
              fmt::format("{}: parse error: {}", line_and_column(text_, at.start), what));
}

Status Grammar::end_of_input() {
  if (peek_kind() != TokenKind::kEnd) return unexpected();
  return {};
}

Status Grammar::settle(Expr& parent, std::initializer_list<const Expr*> children) {
  uint32_t below = 0;
  for (const Expr* child : children) {
    if (child != nullptr) below = std::max(below, child->height);
  }
  parent.height = below + 1;
  if (parent.height > options_.max_depth) {
    return error(parent.position,
                 fmt::format("expression is nested more than {} deep", options_.max_depth));
  }
  return {};
}

Status Grammar::Nesting::check() const {
  if (grammar_.depth_ <= grammar_.options_.max_depth) return {};
  return grammar_.error(
      grammar_.peek().position,
      fmt::format("expression is nested more than {} deep", grammar_.options_.max_depth));
}

Result<ExprPtr> Grammar::whole_expression() {
  if (peek_kind() == TokenKind::kEnd) return error({}, "no expression found in input");
  TRY_ASSIGN(ExprPtr expr, expression(kLowestPrecedence));
  TRY(end_of_input());
  return expr;
}

Result<model::Matchers> Grammar::whole_selector() {
  if (peek_kind() != TokenKind::kLeftBrace && !may_name_metric(peek_kind())) return unexpected();
  const bool named = peek_kind() != TokenKind::kLeftBrace;
  const Token name = named ? take() : Token{};
  TRY_ASSIGN(ExprPtr expr, vector_selector(named ? &name : nullptr));
  TRY(end_of_input());
  auto& selector = static_cast<VectorSelector&>(*expr);
  return std::move(selector.matchers);
}

Result<model::Labels> Grammar::whole_metric() {
  const bool named = may_name_metric(peek_kind());
  const Token name = named ? take() : Token{};
  TRY_ASSIGN(model::Labels labels, label_set(name.text));
  TRY(end_of_input());
  return labels;
}

Result<int64_t> Grammar::whole_duration_ms() {
  TRY_ASSIGN(ExprPtr literal, duration_literal());
  TRY(end_of_input());
  TRY_ASSIGN(const Duration duration, to_duration(std::move(literal)));
  return duration.ms;
}

}  // namespace binnacle::query::promql
