#include "query/promql/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

constexpr char32_t kNothing = 0xFFFFFFFF;
constexpr char32_t kBroken = 0xFFFD;

using Keyword = std::pair<std::string_view, TokenKind>;

constexpr Keyword kKeywords[] = {
    {"and", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"unless", TokenKind::kUnless},
    {"atan2", TokenKind::kAtan2},
    {"sum", TokenKind::kSum},
    {"avg", TokenKind::kAvg},
    {"count", TokenKind::kCount},
    {"min", TokenKind::kMin},
    {"max", TokenKind::kMax},
    {"group", TokenKind::kGroup},
    {"stddev", TokenKind::kStddev},
    {"stdvar", TokenKind::kStdvar},
    {"topk", TokenKind::kTopk},
    {"bottomk", TokenKind::kBottomk},
    {"count_values", TokenKind::kCountValues},
    {"quantile", TokenKind::kQuantile},
    {"limitk", TokenKind::kLimitk},
    {"limit_ratio", TokenKind::kLimitRatio},
    {"offset", TokenKind::kOffset},
    {"smoothed", TokenKind::kSmoothed},
    {"anchored", TokenKind::kAnchored},
    {"by", TokenKind::kBy},
    {"without", TokenKind::kWithout},
    {"on", TokenKind::kOn},
    {"ignoring", TokenKind::kIgnoring},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"fill", TokenKind::kFill},
    {"fill_left", TokenKind::kFillLeft},
    {"fill_right", TokenKind::kFillRight},
    {"bool", TokenKind::kBool},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEndFunction},
    {"step", TokenKind::kStep},
    {"range", TokenKind::kRange},
    {"max_of", TokenKind::kMaxOf},
    {"min_of", TokenKind::kMinOf},
    {"inf", TokenKind::kNumber},
    {"nan", TokenKind::kNumber},
};
constexpr size_t kLongestKeyword = 12;

bool is_space(char32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_alpha(char32_t c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char32_t c) { return is_alpha(c) || is_digit(c); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// kIdentifier: it is no keyword.
TokenKind keyword(std::string_view word) {
  if (word.size() > kLongestKeyword) return TokenKind::kIdentifier;
  const std::string name = lower(word);
  for (const auto& [text, kind] : kKeywords) {
    if (text == name) return kind;
  }
  return TokenKind::kIdentifier;
}

bool is_duration_word(TokenKind kind) {
  return kind == TokenKind::kStep || kind == TokenKind::kRange || kind == TokenKind::kMaxOf ||
         kind == TokenKind::kMinOf;
}

// Words in brackets start with one of these letters or are no words there.
bool starts_duration_word(char32_t c) {
  return c < 0x80 &&
         std::string_view("srmSRM").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string rune_text(char32_t c) { return quoted_rune(c == kNothing ? kBroken : c); }

uint32_t digit_value(char32_t c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// The tokens of one character that mean the same wherever they may stand.
TokenKind single(char32_t c) {
  static constexpr std::pair<char32_t, TokenKind> kSingles[] = {
      {',', TokenKind::kComma}, {'*', TokenKind::kMul}, {'/', TokenKind::kDiv},
      {'%', TokenKind::kMod},   {'+', TokenKind::kAdd}, {'-', TokenKind::kSub},
      {'^', TokenKind::kPow}};
  for (const auto& [text, kind] : kSingles) {
    if (text == c) return kind;
  }
  return TokenKind::kError;
}

}  // namespace

bool is_aggregation(TokenKind kind) { return kind >= TokenKind::kAvg && kind <= TokenKind::kTopk; }

std::string describe(const Token& token) {
  const auto kind = token.kind;
  const auto literal = [&](std::string_view what) {
    if (token.text.size() > 10) return fmt::format("{} {}...", what, quoted_prefix(token.text, 10));
    return fmt::format("{} {}", what, quoted(token.text));
  };
  if (kind == TokenKind::kEnd) return "end of input";
  if (kind == TokenKind::kError) return "error";
  if (kind == TokenKind::kIdentifier) return "identifier " + quoted(token.text);
  if (kind == TokenKind::kMetricIdentifier) return "metric identifier " + quoted(token.text);
  if (kind == TokenKind::kString) return literal("string");
  if (kind == TokenKind::kNumber) return literal("number");
  if (kind == TokenKind::kDuration) return literal("duration");
  if (is_aggregation(kind)) return fmt::format("<aggr:{}>", token.text);
  if (kind >= TokenKind::kAdd && kind <= TokenKind::kAt) return fmt::format("<op:{}>", token.text);
  if (kind >= TokenKind::kBool && kind <= TokenKind::kWithout)
    return fmt::format("<{}>", token.text);
  return quoted(token.text);
}

Token Lexer::next() {
  if (failed_) return error("unexpected error");
  if (duration_mode_) return in_duration();
  skip_blanks_and_comments();
  return in_braces_ ? in_braces() : in_statement();
}

Token Lexer::in_statement() {
  const char32_t c = advance();
  if (const TokenKind kind = single(c); kind != TokenKind::kError) return emit(kind);
  if (is_digit(c) || (c == '.' && is_digit(peek()))) {
    --pos_;
    return number_or_duration();
  }
  if (is_alpha(c) || c == ':') return in_brackets_ ? name_in_brackets(c) : keyword_or_identifier();
  switch (c) {
    case kNothing:
      if (open_parens_ != 0) return error("unclosed left parenthesis");
      if (in_brackets_) return error("unclosed left bracket");
      return emit(TokenKind::kEnd);
    case '=':
    case '!':
    case '<':
    case '>':
      return comparison(c);
    case '"':
    case '\'':
      return string(c);
    case '`':
      return raw_string();
    case '{':
      in_braces_ = true;
      return emit(TokenKind::kLeftBrace);
    case '(':
    case ')':
    case '[':
    case ']':
      --pos_;
      return bracket();
    case '@':
      return emit(TokenKind::kAt);
    default:
      return error("unexpected character: " + rune_text(c));
  }
}

Token Lexer::bracket() {
  switch (const char32_t c = advance(); c) {
    case '(':
      ++open_parens_;
      return emit(TokenKind::kLeftParen);
    case ')':
      if (open_parens_ == 0) {
        start_ = pos_;  // the error stands after it
        return error("unexpected right parenthesis ')'");
      }
      --open_parens_;
      return emit(TokenKind::kRightParen);
    case '[': {
      if (in_brackets_) return error("unexpected left bracket '['");
      had_colon_ = false;
      in_brackets_ = true;
      duration_mode_ = true;
      return emit(TokenKind::kLeftBracket);
    }
    default:
      if (!in_brackets_) return error("unexpected right bracket ']'");
      in_brackets_ = false;
      duration_mode_ = false;
      return emit(TokenKind::kRightBracket);
  }
}

Token Lexer::comparison(char32_t first) {
  const char32_t second = peek();
  if (first == '=') {
    if (second == '~') return error("unexpected character after '=': " + rune_text(second));
    return emit(accept("=") ? TokenKind::kEqualEqual : TokenKind::kEqual);
  }
  if (first == '!') {
    if (accept("=")) return emit(TokenKind::kNotEqual);
    return error("unexpected character after '!': " + rune_text(second));
  }
  const bool less = first == '<';
  if (accept("=")) return emit(less ? TokenKind::kLessOrEqual : TokenKind::kGreaterOrEqual);
  if (accept("/")) return emit(less ? TokenKind::kTrimUpper : TokenKind::kTrimLower);
  return emit(less ? TokenKind::kLess : TokenKind::kGreater);
}

Token Lexer::in_braces() {
  const char32_t c = advance();
  if (is_alpha(c)) {
    while (is_alphanumeric(peek())) advance();
    return emit(TokenKind::kIdentifier);
  }
  switch (c) {
    case kNothing:
      return error("unexpected end of input inside braces");
    case ',':
      return emit(TokenKind::kComma);
    case '"':
    case '\'':
      return string(c);
    case '`':
      return raw_string();
    case '=':
      return emit(accept("~") ? TokenKind::kEqualRegex : TokenKind::kEqual);
    case '!':
      if (accept("~")) return emit(TokenKind::kNotRegex);
      if (accept("=")) return emit(TokenKind::kNotEqual);
      return error("unexpected character after '!' inside braces: " + rune_text(peek()));
    case '{':
      return error("unexpected left brace '{'");
    case '}':
      in_braces_ = false;
      return emit(TokenKind::kRightBrace);
    default:
      return error("unexpected character inside braces: " + rune_text(c));
  }
}

Token Lexer::in_duration() {
  while (is_space(peek())) ++pos_;
  start_ = pos_;
  const char32_t c = advance();
  if (const TokenKind kind = single(c); kind != TokenKind::kError) return emit(kind);
  if (starts_duration_word(c)) {
    const TokenKind word = duration_keyword();
    if (word != TokenKind::kError) return emit(word);
    return error("unexpected character in duration expression: " + rune_text(c));
  }
  if (is_digit(c) || (c == '.' && is_digit(peek()))) {
    --pos_;
    had_duration_ = true;
    duration_mode_ = false;
    return number_or_duration();
  }
  switch (c) {
    case kNothing:
      return error("unexpected end of input in duration expression");
    case '(':
    case ')':
    case ']':
      --pos_;
      return bracket();
    case ':': {
      const Token colon = emit(TokenKind::kColon);
      if (!had_duration_) return error("unexpected colon before duration in duration expression");
      if (had_colon_) return error("unexpected repeated colon in duration expression");
      had_colon_ = true;
      return colon;
    }
    default:
      return error("unexpected character in duration expression: " + rune_text(c));
  }
}

Token Lexer::name_in_brackets(char32_t first) {
  if (first == ':') {
    if (had_colon_) return error("unexpected colon ':'");
    had_colon_ = true;
    return emit(TokenKind::kColon);
  }
  if (starts_duration_word(first)) {
    const TokenKind word = duration_keyword();
    if (word != TokenKind::kError) return emit(word);
  }
  return error(fmt::format("unexpected character: {}, expected ':'", rune_text(first)));
}

TokenKind Lexer::duration_keyword() {
  while (is_alpha(peek())) advance();
  const TokenKind kind = keyword(text_.substr(start_, pos_ - start_));
  return is_duration_word(kind) ? kind : TokenKind::kError;
}

Token Lexer::keyword_or_identifier() {
  while (is_alphanumeric(peek()) || peek() == ':') advance();
  const std::string_view word = text_.substr(start_, pos_ - start_);
  const TokenKind kind = keyword(word);
  const bool fill =
      kind == TokenKind::kFill || kind == TokenKind::kFillLeft || kind == TokenKind::kFillRight;
  // The fill words came late to the language: metrics of that name stay usable.
  if (fill && !left_paren_follows()) return emit(TokenKind::kIdentifier);
  if (kind != TokenKind::kIdentifier) return emit(kind);
  const bool colon = word.find(':') != std::string_view::npos;
  return emit(colon ? TokenKind::kMetricIdentifier : TokenKind::kIdentifier);
}

bool Lexer::left_paren_follows() const {
  const size_t at = text_.find_first_not_of(" \t\n\r", pos_);
  return at != std::string_view::npos && text_[at] == '(';
}

Token Lexer::number_or_duration() {
  if (scan_number()) return emit(TokenKind::kNumber);
  if (scan_duration_units()) return emit(TokenKind::kDuration);
  return error("bad number or duration syntax: " + quoted(text_.substr(start_, pos_ - start_)));
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

Token Lexer::emit(TokenKind kind) {
  const Token token{kind, text_.substr(start_, pos_ - start_), {start_, pos_}, {}};
  start_ = pos_;
  return token;
}

Token Lexer::error(std::string what) {
  failed_ = true;
  return {TokenKind::kError, {}, {start_, static_cast<uint32_t>(text_.size())}, std::move(what)};
}

char32_t Lexer::advance() {
  const Rune rune = first_rune(text_.substr(pos_));
  if (rune.bytes == 0) return kNothing;
  pos_ += rune.bytes;
  return rune.value;
}

char32_t Lexer::peek() const {
  const Rune rune = first_rune(text_.substr(pos_));
  return rune.bytes == 0 ? kNothing : rune.value;
}

bool Lexer::at(std::string_view any_of) const {
  return pos_ < text_.size() && any_of.find(text_[pos_]) != std::string_view::npos;
}

bool Lexer::accept(std::string_view any_of) {
  if (!at(any_of)) return false;
  ++pos_;
  return true;
}

void Lexer::skip_blanks_and_comments() {
  for (;;) {
    while (pos_ < text_.size() && is_space(static_cast<unsigned char>(text_[pos_]))) ++pos_;
    if (!at("#")) break;
    pos_ = static_cast<uint32_t>(std::min(text_.find_first_of("\r\n", pos_), text_.size()));
  }
  start_ = pos_;
}

}  // namespace binnacle::query::promql
