#include "base/template_lexer.h"

#include "base/utf8.h"

#include <fmt/format.h>

namespace binnacle {
namespace {

using Kind = TemplateToken::Kind;

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kSpaces = " \t\r\n";

bool is_space(char c) { return kSpaces.find(c) != std::string_view::npos; }

// Letters beyond ASCII count as letters, whatever they are: Go asks Unicode's tables.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim_right(std::string_view text) {
  const size_t last = text.find_last_not_of(kSpaces);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// "-" and a space after "{{".
bool trims_left(std::string_view rest) {
  return rest.size() > 3 && rest[2] == '-' && is_space(rest[3]);
}

}  // namespace

TemplateToken TemplateLexer::take(Kind kind, size_t bytes) {
  const TemplateToken token{kind, static_cast<uint32_t>(at_), text_.substr(at_, bytes)};
  at_ += bytes;
  return token;
}

bool TemplateLexer::at_right_delimiter() const {
  const std::string_view rest = text_.substr(at_);
  return rest.starts_with(kRight) ||
         (!rest.empty() && is_space(rest[0]) && rest.substr(1).starts_with("-}}"));
}

Result<TemplateToken> TemplateLexer::next() {
  token_start_ = at_;
  return inside_ ? inside() : outside();
}

// After "{{" or "{{- ", at "/*".
Status TemplateLexer::skip_comment() {
  const size_t close = text_.find("*/", at_ + 2);
  if (close == std::string_view::npos)
    return fail(Code::kInvalidArgument, "a comment has no end: expected */}}");
  at_ = close + 2;
  if (!at_right_delimiter())
    return fail(Code::kInvalidArgument, "a comment must fill its action: expected */}}");
  trim_next_ = !text_.substr(at_).starts_with(kRight);
  at_ += trim_next_ ? 4 : 2;
  return {};
}

Result<TemplateToken> TemplateLexer::outside() {
  for (;;) {
    if (trim_next_) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      trim_next_ = false;
      token_start_ = at_;
    }
    const size_t left = text_.find(kLeft, at_);
    if (left != at_) {
      const std::string_view plain = text_.substr(at_, left - at_);
      if (plain.empty()) return take(Kind::kEnd, 0);
      const bool trims = left != std::string_view::npos && trims_left(text_.substr(left));
      TemplateToken token{Kind::kText, static_cast<uint32_t>(at_),
                          trims ? trim_right(plain) : plain};
      at_ += plain.size();
      if (!token.text.empty()) return token;
    }
    token_start_ = at_;
    if (at_ == text_.size()) continue;  // trimmed away to the end
    const size_t open = trims_left(text_.substr(at_)) ? 4 : 2;
    if (!text_.substr(at_ + open).starts_with("/*")) {
      inside_ = true;
      return take(Kind::kLeftDelimiter, open == 4 ? 3 : 2);
    }
    at_ += open;
    TRY(skip_comment());
    token_start_ = at_;
  }
}

Result<TemplateToken> TemplateLexer::quoted(char quote, Kind kind) {
  size_t end = at_ + 1;
  for (;; ++end) {
    if (end >= text_.size() || (text_[end] == '\n' && quote != '`'))
      return fail(Code::kInvalidArgument, fmt::format("a text has no end: expected {}", quote));
    if (text_[end] == quote) break;
    if (text_[end] == '\\' && quote != '`') ++end;
  }
  return take(kind, end + 1 - at_);
}

// As far as it looks like a number; the parser decides whether it is one.
Result<TemplateToken> TemplateLexer::number() {
  size_t end = at_;
  if (text_[end] == '+' || text_[end] == '-') ++end;
  for (; end < text_.size(); ++end) {
    const char c = text_[end];
    const bool sign = (c == '+' || c == '-') &&
                      std::string_view("eEpP").find(text_[end - 1]) != std::string_view::npos;
    if (!is_word(c) && c != '.' && !sign) break;
  }
  return take(Kind::kNumber, end - at_);
}

// At an identifier, or at the dot or dollar before one.
Result<TemplateToken> TemplateLexer::word(Kind kind) {
  size_t end = at_ + (kind == Kind::kIdentifier ? 0 : 1);
  while (end < text_.size() && is_word(text_[end])) ++end;
  TemplateToken token = take(kind, end - at_);
  if (kind == Kind::kField) token.text.remove_prefix(1);
  const bool ends = at_ >= text_.size() || is_space(text_[at_]) ||
                    std::string_view(".,|:)(=").find(text_[at_]) != std::string_view::npos ||
                    at_right_delimiter();
  if (ends) return token;
  token_start_ = at_;
  return fail(Code::kInvalidArgument,
              fmt::format("unexpected {:?} after {:?}",
                          text_.substr(at_, utf8_step(text_.substr(at_)).bytes), token.text));
}

Result<TemplateToken> TemplateLexer::inside() {
  if (at_ >= text_.size()) return fail(Code::kInvalidArgument, "an action has no end: expected }}");
  if (at_right_delimiter()) {
    trim_next_ = text_[at_] != '}';
    inside_ = false;
    return take(Kind::kRightDelimiter, trim_next_ ? 4 : 2);
  }
  const char c = text_[at_];
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (is_space(c)) {
    size_t end = at_;
    // The space before "-}}" belongs to the delimiter.
    while (end < text_.size() && is_space(text_[end]) &&
           (end == at_ || !text_.substr(end + 1).starts_with("-}}")))
      ++end;
    return take(Kind::kSpace, end - at_);
  }
  switch (c) {
    case '"':
      return quoted('"', Kind::kString);
    case '`':
      return quoted('`', Kind::kRawString);
    case '\'':
      return quoted('\'', Kind::kCharacter);
    case '|':
      return take(Kind::kPipe, 1);
    case '(':
      return take(Kind::kLeftParen, 1);
    case ')':
      return take(Kind::kRightParen, 1);
    case ',':
      return take(Kind::kComma, 1);
    case '=':
      return take(Kind::kAssign, 1);
    case ':':
      if (after == '=') return take(Kind::kDeclare, 2);
      return fail(Code::kInvalidArgument, "expected :=");
    case '$':
      return word(Kind::kVariable);
    case '.':
      if (is_digit(after)) return number();
      if (is_word(after)) return word(Kind::kField);
      return take(Kind::kDot, 1);
    default:
      break;
  }
  if (is_digit(c) || c == '+' || c == '-') return number();
  if (is_word(c)) return word(Kind::kIdentifier);
  return fail(Code::kInvalidArgument,
              fmt::format("unexpected character {:?} in an action",
                          text_.substr(at_, utf8_step(text_.substr(at_)).bytes)));
}

}  // namespace binnacle
