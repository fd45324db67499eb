// What stands between an operator and its right side, and the by and without of aggregations.
#include "query/promql/grammar.h"

#include "base/utf8.h"
#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

// Keywords that are label names in lists of them; `without` is not.
bool may_name_label(TokenKind kind) {
  switch (kind) {
    case TokenKind::kIdentifier:
    case TokenKind::kMetricIdentifier:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kUnless:
    case TokenKind::kAtan2:
      return true;
    case TokenKind::kWithout:
      return false;
    default:
      return kind >= TokenKind::kAvg && kind <= TokenKind::kMinOf;
  }
}

}  // namespace

Status Grammar::binary_modifiers(BinaryExpr& out) {
  VectorMatching& matching = out.matching.emplace();
  out.return_bool = take_if(TokenKind::kBool);
  if (peek_kind() == TokenKind::kOn || peek_kind() == TokenKind::kIgnoring) {
    matching.on = take().kind == TokenKind::kOn;
    TRY_ASSIGN(matching.labels, grouping_labels());
    if (peek_kind() == TokenKind::kGroupLeft || peek_kind() == TokenKind::kGroupRight) {
      const bool left = take().kind == TokenKind::kGroupLeft;
      matching.card = left ? Cardinality::kManyToOne : Cardinality::kOneToMany;
      // Labels may be left out, but only where the right side can begin.
      const bool fills = peek_kind() >= TokenKind::kFill && peek_kind() <= TokenKind::kFillRight;
      if (peek_kind() == TokenKind::kLeftParen || !(fills || starts_expression(peek_kind()))) {
        TRY_ASSIGN(matching.include, grouping_labels());
      }
    }
  }
  return fill_modifiers(matching);
}

Status Grammar::fill_modifiers(VectorMatching& out) {
  if (take_if(TokenKind::kFill)) {
    TRY_ASSIGN(out.fill_lhs, fill_value());
    out.fill_rhs = out.fill_lhs;
    return {};
  }
  const TokenKind first = peek_kind();
  if (first != TokenKind::kFillLeft && first != TokenKind::kFillRight) return {};
  const bool left = first == TokenKind::kFillLeft;
  take();
  TRY_ASSIGN((left ? out.fill_lhs : out.fill_rhs), fill_value());
  if (take_if(left ? TokenKind::kFillRight : TokenKind::kFillLeft)) {
    TRY_ASSIGN((left ? out.fill_rhs : out.fill_lhs), fill_value());
  }
  return {};
}

Result<double> Grammar::fill_value() {
  TRY(require(TokenKind::kLeftParen));
  const bool negative = peek_kind() == TokenKind::kSub;
  if (negative || peek_kind() == TokenKind::kAdd) take();
  TRY_ASSIGN(const auto number, number_literal());
  TRY(require(TokenKind::kRightParen));
  return negative ? -number->value : number->value;
}

Result<Grouping> Grammar::grouping() {
  Grouping out;
  out.without = take().kind == TokenKind::kWithout;
  TRY_ASSIGN(out.labels, grouping_labels());
  return out;
}

Result<std::vector<std::string>> Grammar::grouping_labels() {
  std::vector<std::string> out;
  Expecting expecting(*this, "grouping opts", "\"(\"");
  TRY(require(TokenKind::kLeftParen));
  while (!take_if(TokenKind::kRightParen)) {
    expecting.now("label");
    TRY_ASSIGN(out.emplace_back(), grouping_label());
    expecting.now("\",\" or \")\"");
    if (take_if(TokenKind::kComma)) continue;
    TRY(require(TokenKind::kRightParen));
    break;
  }
  return out;
}

Result<std::string> Grammar::grouping_label() {
  const TokenKind kind = peek_kind();
  if (kind != TokenKind::kString && !may_name_label(kind)) return unexpected();
  const Token token = take();
  std::string name = kind == TokenKind::kString ? unquoted(token.text) : std::string(token.text);
  if (name.empty() || !is_valid_utf8(name))
    return error(token.position, "invalid label name for grouping: " + in_quotes(name));
  return name;
}

}  // namespace binnacle::query::promql
