// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
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

// The number of the character at the start of `text`; U+FFFD where it is broken or none.
uint32_t utf8_code_point(std::string_view text);
// Appends a character by its number; U+FFFD where there is none of that number.
void append_utf8(std::string& out, int64_t code_point);

bool is_valid_utf8(std::string_view text);

// `text` with each broken part replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace binnacle
