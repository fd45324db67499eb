// How Go's fmt prints values: print, println, and printf with its verbs, flags, width and
// precision. Pure functions; any thread. What is printed is bounded, since a list may hold another
// one twice, which holds a third one twice, and so on.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/template.h"

namespace binnacle {

// What is longer is cut off there; callers refuse texts of this size.
inline constexpr size_t kMaxTemplateTextBytes = size_t{1} << 20;

// %v; nil is "<nil>".
std::string template_value_text(const TemplateValue& value);

std::string template_print(std::span<const TemplateValue> args);    // Sprint
std::string template_println(std::span<const TemplateValue> args);  // Sprintln
std::string template_printf(std::string_view format, std::span<const TemplateValue> args);

// %T: "string", "float64".
std::string_view template_type_name(const TemplateValue& value);

// strconv.Quote: what %q prints of a string.
std::string template_quote(std::string_view text);

}  // namespace binnacle
