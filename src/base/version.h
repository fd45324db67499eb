// What this binary is.
#pragma once

#include <string_view>

namespace binnacle {

std::string_view version();  // "0.1.0"
std::string_view
revision();  // short commit hash, "+" behind it when the tree was changed; "unknown" without git

}  // namespace binnacle
