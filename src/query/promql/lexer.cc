#include "query/promql/lexer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

bool is_space(char32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_duration_word(TokenKind kind) {
  return kind == TokenKind::kStep || kind == TokenKind::kRange || kind == TokenKind::kMaxOf ||
         kind == TokenKind::kMinOf;
}

// Words in brackets start with one of these letters or are no words there.
bool starts_duration_word(char32_t c) {
  return c < 0x80 &&
         std::string_view("srmSRM").find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr char32_t kLastRune = 0x10FFFF;
std::string rune_text(char32_t c) { return quoted_rune(c > kLastRune ? U'\uFFFD' : c); }

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
