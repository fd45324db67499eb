// One value of a plain type under one verb of Go's fmt. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle {

struct FormatSpec {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  int width = 0;
  int precision = -1;           // -1: none given
  char verb = 'v';              // 0: not of ASCII, see other_verb
  std::string_view other_verb;  // the verb as written
  std::string_view verb_text() const { return verb == 0 ? other_verb : std::string_view(&verb, 1); }
};

// To the width, counted in characters.
std::string pad(std::string_view text, const FormatSpec& spec);

// Nothing where the verb does not fit the type.
std::optional<std::string> format_int(int64_t value, const FormatSpec& spec);
std::optional<std::string> format_float(double value, const FormatSpec& spec);
std::optional<std::string> format_string(std::string_view value, const FormatSpec& spec);

}  // namespace binnacle
