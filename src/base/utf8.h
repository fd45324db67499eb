// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure
// functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace binnacle {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Step {
  size_t bytes =
      0;  // of the character, or of the broken part that one U+FFFD stands for; 0 at the end
  bool valid = false;  // a broken part is as long as Unicode's "maximal subpart" (chapter 3.9)
};

// The character at the start of `text`.
Utf8Step utf8_step(std::string_view text);

bool is_valid_utf8(std::string_view text);

// `text` with each broken part replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace binnacle
