// Numbers, durations and strings.
#include "query/promql/lexer.h"

#include <utility>

#include <fmt/format.h>

#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

uint32_t digit_value(char32_t c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

}  // namespace

Token Lexer::number_or_duration() {
  if (scan_number()) return emit(TokenKind::kNumber);
  if (scan_duration_units()) return emit(TokenKind::kDuration);
  return error("bad number or duration syntax: " + in_quotes(text_.substr(start_, pos_ - start_)));
}

// Takes what may follow in some number; whether it is one parse_number() tells.
bool Lexer::scan_number() {
  const uint32_t first = pos_;
  std::string_view digits = "0123456789";
  if (accept("0") && accept("xX")) {
    accept("_");
    digits = "0123456789abcdefABCDEF";
  }
  accept(".");
  accept(digits);
  bool had_dot = false;
  bool had_exponent = false;
  while (at(digits) || at("._eE")) {
    if (at(".")) {
      advance();
      if (std::exchange(had_dot, true)) return false;
      if (accept("_.") || digits.size() > 10) return false;
    } else if (at("eE") && had_exponent) {
      advance();
      return false;
    } else if (accept("eE")) {
      had_exponent = true;
      accept("+-");
      if (accept("._eE") || peek() == kNothing) return false;
    } else if (accept("_")) {
      if (accept("._eE") || peek() == kNothing) return false;
    } else {
      while (accept(digits)) {
      }
    }
  }
  return pos_ != first && !is_alphanumeric(peek());
}

bool Lexer::scan_duration_units() {
  constexpr std::string_view kDigits = "0123456789";
  if (!accept("smhdwy")) return false;
  accept("s");
  while (accept(kDigits)) {
    while (accept(kDigits)) {
    }
    if (!accept("smhdw")) return false;
    accept("s");
  }
  if (!is_alphanumeric(peek())) return true;
  advance();  // the message shows it
  return false;
}

Token Lexer::string(char32_t quote) {
  for (;;) {
    const char32_t c = advance();
    if (c == quote) return emit(TokenKind::kString);
    if (c == kBroken) return error("invalid UTF-8 rune");
    if (c == kNothing || c == '\n') return error("unterminated quoted string");
    if (c != '\\') continue;
    if (std::string wrong = scan_escape(quote); !wrong.empty()) return error(std::move(wrong));
  }
}

Token Lexer::raw_string() {
  for (;;) {
    const char32_t c = advance();
    if (c == '`') return emit(TokenKind::kString);
    if (c == kBroken) return error("invalid UTF-8 rune");
    if (c == kNothing) return error("unterminated raw string");
  }
}

std::string Lexer::scan_escape(char32_t quote) {
  char32_t c = advance();
  if (c == kNothing) return "escape sequence not terminated";
  if (c == quote || (c < 0x80 && std::string_view("abfnrtv\\").find(static_cast<char>(c)) !=
                                     std::string_view::npos)) {
    return {};
  }
  int count = 3;
  uint32_t base = 8;
  uint32_t most = 255;
  if (c == 'x' || c == 'u' || c == 'U') {
    count = c == 'x' ? 2 : (c == 'u' ? 4 : 8);
    base = 16;
    if (c != 'x') most = 0x10FFFF;
    c = advance();
  } else if (c < '0' || c > '7') {
    return "unknown escape sequence " + described_rune(c);
  }
  uint32_t value = 0;
  for (; count > 0; --count) {
    if (c == kNothing) return "escape sequence not terminated";
    const uint32_t digit = digit_value(c);
    if (digit >= base)
      return fmt::format("illegal character {} in escape sequence", described_rune(c));
    value = value * base + digit;
    if (count > 1) c = advance();
  }
  if (value > most || (value >= 0xD800 && value < 0xE000))
    return "escape sequence is an invalid Unicode code point";
  return {};
}

}  // namespace binnacle::query::promql
