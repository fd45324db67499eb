// Which of the known names the writer of an unknown one may have meant. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace binnacle {

// The known name that a slip of the finger or two leads to; "" when none is near.
std::string nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace binnacle
