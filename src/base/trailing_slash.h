// Addresses and folders to which a path is added: people write them with a slash at the end, or
// without. Pure.
#pragma once

#include <string>

namespace binnacle {

// "http://a/b//" is "http://a/b"; "/" is "".
std::string without_trailing_slash(std::string text);

}  // namespace binnacle
