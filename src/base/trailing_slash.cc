#include "base/trailing_slash.h"

namespace binnacle {

std::string without_trailing_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace binnacle
