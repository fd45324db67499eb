// PromQL text to tokens. What a character means depends on where it stands: between braces keywords
// are plain names, between brackets only durations and their arithmetic stand. Keywords count in
// any case. One query's; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/promql/token.h"

namespace binnacle::query::promql {

class Lexer {
 public:
  // `text` outlives this.
  explicit Lexer(std::string_view text) : text_(text) {}

  // Comments are left out. kEnd again and again at the end.
  Token next();

 private:
  static constexpr char32_t kNothing = 0xFFFFFFFF;  // the end of the text
  static constexpr char32_t kBroken = 0xFFFD;       // what stands for a byte that is no UTF-8

  Token in_statement();
  Token in_braces();
  Token in_duration();
  Token name_in_brackets(char32_t first);
  Token keyword_or_identifier();
  Token bracket();
  Token comparison(char32_t first);
  TokenKind duration_keyword();  // kError: it is none
  bool left_paren_follows() const;

  // Literals: lexer_literals.cc
  Token number_or_duration();
  bool scan_number();
  bool scan_duration_units();
  Token string(char32_t quote);
  Token raw_string();
  std::string scan_escape(char32_t quote);  // what is wrong, or nothing

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

inline bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
inline bool is_alpha(char32_t c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_alphanumeric(char32_t c) { return is_alpha(c) || is_digit(c); }

}  // namespace binnacle::query::promql
