#include "model/node.h"

namespace binnacle::model {

std::string_view node_state_name(NodeState state) {
  constexpr std::string_view kNames[] = {"unknown", "up", "suspect", "down", "draining", "left"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace binnacle::model
