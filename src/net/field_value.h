// Values of header fields as lists: `a;q=1, b` and its like (RFC 9110, 5.6).
#pragma once

#include <string_view>

namespace binnacle::net {

// Without spaces and tabs at both ends.
std::string_view trim_field(std::string_view text);
// Cuts the text up to `separator` off the front of `text` (the separator goes too) and returns it
// trimmed.
std::string_view take_element(std::string_view& text, char separator);
// Whether `token` is an element of a comma list, without case.
bool field_list_has(std::string_view list, std::string_view token);

}  // namespace binnacle::net
