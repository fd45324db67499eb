// Text made fit for XML 1.0, in attributes and between tags. Pure.
#pragma once

#include <string>
#include <string_view>

namespace binnacle {

// Ends of lines and tabs stay what they are; XML has no way to write other control characters, so
// they become '?'.
std::string xml_escape(std::string_view text);

}  // namespace binnacle
