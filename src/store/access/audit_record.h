// One line of the audit log and the hash that chains it to the line before. Pure functions; the
// bytes under the hash are written down in docs/formats/state.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle::store::access {

// Who asks for a change.
struct Actor {
  std::string name;     // of the key, "local", or the command line's user
  std::string key_id;   // empty: no key
  std::string address;  // where from; empty: this machine's command line
};

enum class AuditOutcome : uint8_t { kOk, kRefused, kFailed };
std::string_view audit_outcome_name(AuditOutcome outcome);  // "refused"
AuditOutcome audit_outcome_from_name(
    std::string_view name);  // of a stored row; anything else is kFailed

struct AuditRecord {
  std::string action;  // dotted, past: "key.created"; also the kind of the event it publishes
  Actor actor;
  std::string subject;  // what it was done to: a key id, a path
  AuditOutcome outcome = AuditOutcome::kOk;
  std::string detail = "{}";  // a JSON object; never a secret
  int64_t time_ms = 0;        // 0: when it is written down
};

struct AuditRow {
  int64_t id = 0;  // 1, 2, 3, ... without gaps
  AuditRecord record;
  std::string previous_hash;
  std::string hash;
};

// The previous hash of row 1.
std::string audit_chain_start();

std::string audit_hash(std::string_view previous_hash, int64_t id, const AuditRecord& record);

}  // namespace binnacle::store::access
