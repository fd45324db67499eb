// Upper and lower case of letters in UTF-8: Latin, Greek, Cyrillic; other letters stay as they are.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace binnacle {

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);

// The first letter of each word in upper case; the others in lower case where `lower_rest`.
std::string to_title(std::string_view text, bool lower_rest);

}  // namespace binnacle
