#include "link/link_observer.h"

namespace binnacle::link {

std::string_view link_end_name(LinkEnd end) {
  constexpr std::string_view kNames[] = {"goodbye", "closed", "silent", "malformed", "slow"};
  return kNames[static_cast<size_t>(end)];
}

}  // namespace binnacle::link
