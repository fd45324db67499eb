// Who is calling and what for. The words are shared by every floor: `net` carries a role on each
// route and an identity on each request, `store/access` grants them, every room that registers a
// route names a role.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle {

enum class Role : uint8_t {
  kPublic,     // no key asked: probes, the login page, the page's own files
  kViewer,     // reads
  kOperator,   // reads and acts: silence, drain, run
  kAdmin,      // everything, keys and config included
  kIngest,     // writes samples, logs, traces; nothing else
  kAgent,      // the link, ingest and what an agent needs
  kInference,  // /v1 of the gateway
};

std::string_view role_name(Role role);  // "viewer"
std::optional<Role> role_from_name(std::string_view name);

// admin ⊃ operator ⊃ viewer, admin ⊃ inference, operator ⊃ inference, admin ⊃ agent ⊃ ingest;
// everything ⊃ public.
bool role_allows(Role held, Role asked);

struct Identity {
  std::string key_id;  // empty: anonymous
  std::string name;    // for people and the audit log
  Role role = Role::kPublic;
};

}  // namespace binnacle
