// The tokens of PromQL, and how error messages name them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

enum class TokenKind : uint8_t {
  kEnd,
  kError,  // Token::error says what is wrong; nothing comes after it
  kIdentifier,
  kMetricIdentifier,  // has a colon
  kString,
  kNumber,
  kDuration,
  kEqual,
  kColon,
  kComma,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  // Operators
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqualEqual,
  kNotEqual,
  kGreater,
  kLess,
  kGreaterOrEqual,
  kLessOrEqual,
  kTrimUpper,  // of native histograms
  kTrimLower,
  kAnd,
  kOr,
  kUnless,
  kEqualRegex,
  kNotRegex,
  kAt,
  // Aggregations, in the order of AggregateOp
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
  // Keywords
  kBool,
  kBy,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kIgnoring,
  kOffset,
  kSmoothed,
  kAnchored,
  kOn,
  kWithout,
  // Names that stand for a time or a duration in some places
  kStart,
  kEndFunction,
  kStep,
  kRange,
  kMaxOf,
  kMinOf,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // as written; of the query
  PositionRange position;
  std::string error;
};

bool is_aggregation(TokenKind kind);
// `identifier "x"`, `<op:+>`, `end of input`: as error messages name tokens.
std::string describe(const Token& token);

// What a word is, in any case; kIdentifier: no keyword.
TokenKind keyword(std::string_view word);

}  // namespace binnacle::query::promql
