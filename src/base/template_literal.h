// Go's literals: numbers, and texts and characters in quotes. Pure functions.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/template.h"

namespace binnacle {

// "1", "-0x1f", "1_000", "0b1", "1e3", "0.5". An int64_t, or a double where it has a point or an
// exponent.
Result<TemplateValue> parse_template_number(std::string_view text);

// "\"a\\n\"" with its quotes.
Result<std::string> parse_template_string(std::string_view quoted);

// "'a'" with its quotes: its code point.
Result<int64_t> parse_template_character(std::string_view quoted);

}  // namespace binnacle
