#include "base/identity.h"

#include <array>
#include <iterator>

namespace binnacle {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"public", "viewer", "operator", "admin",
                                                    "ingest", "agent",  "inference"};

}  // namespace

std::string_view role_name(Role role) { return kNames[static_cast<size_t>(role)]; }

std::optional<Role> role_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

bool role_allows(Role held, Role asked) {
  if (held == asked || asked == Role::kPublic || held == Role::kAdmin) return true;
  switch (held) {
    case Role::kOperator:
      return asked == Role::kViewer || asked == Role::kInference;
    case Role::kAgent:
      return asked == Role::kIngest;
    default:
      return false;
  }
}

}  // namespace binnacle
