// PromQL text to tokens. What a character means depends on where it stands: between braces keywords
// are plain names, between brackets only durations and their arithmetic stand. Keywords count in
// any case. One query's; not thread-safe.
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

class Lexer {
 public:
  // `text` outlives this.
  explicit Lexer(std::string_view text) : text_(text) {}

  // Comments are left out. kEnd again and again at the end.
  Token next();

 private:
  Token in_statement();
  Token in_braces();
  Token in_duration();
  Token number_or_duration();
  bool scan_number();
  bool scan_duration_units();
  Token name_in_brackets(char32_t first);
  Token keyword_or_identifier();
  Token bracket();
  Token string(char32_t quote);
  Token raw_string();
  std::string scan_escape(char32_t quote);  // what is wrong, or nothing
  Token comparison(char32_t first);
  TokenKind duration_keyword();  // kError: it is none
  bool left_paren_follows() const;

  Token emit(TokenKind kind);
  Token error(std::string what);
  char32_t advance();  // kNothing at the end
  char32_t peek() const;
  bool accept(std::string_view any_of);
  bool at(std::string_view any_of) const;
  void skip_blanks_and_comments();

  std::string_view text_;
  uint32_t start_ = 0;  // of the token
  uint32_t pos_ = 0;
  uint32_t open_parens_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool duration_mode_ = false;  // right after "[", up to the first number
  bool had_colon_ = false;      // since "["
  bool had_duration_ = false;   // since "["
  bool failed_ = false;
};

}  // namespace binnacle::query::promql
