// Splits the text of a template into tokens: the text between actions, trimmed as the markers ask,
// and the words inside actions. One pass, on demand; the text must outlive the lexer and its
// tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle {

struct TemplateToken {
  enum class Kind : uint8_t {
    kEnd,
    kText,
    kLeftDelimiter,   // {{ or {{-
    kRightDelimiter,  // }} or -}}
    kSpace,
    kIdentifier,  // a function, a keyword, true, false, nil
    kField,       // text has no dot
    kVariable,    // text has its '$'
    kDot,
    kNumber,
    kString,  // with its quotes
    kRawString,
    kCharacter,
    kPipe,
    kLeftParen,
    kRightParen,
    kDeclare,
    kAssign,
    kComma,
  };
  Kind kind = Kind::kEnd;
  uint32_t at = 0;
  std::string_view text;
};

class TemplateLexer {
 public:
  explicit TemplateLexer(std::string_view text) : text_(text) {}

  // kInvalidArgument, without the place: that is place().
  Result<TemplateToken> next();
  uint32_t place() const { return static_cast<uint32_t>(token_start_); }

 private:
  Result<TemplateToken> outside();
  Result<TemplateToken> inside();
  Result<TemplateToken> quoted(char quote, TemplateToken::Kind kind);
  Result<TemplateToken> number();
  Result<TemplateToken> word(TemplateToken::Kind kind);
  Status skip_comment();
  bool at_right_delimiter() const;
  TemplateToken take(TemplateToken::Kind kind, size_t bytes);

  std::string_view text_;
  size_t at_ = 0;
  size_t token_start_ = 0;
  bool inside_ = false;
  bool trim_next_ = false;  // the action before ended in " -}}"
};

}  // namespace binnacle
