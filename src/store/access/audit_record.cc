#include "store/access/audit_record.h"

#include "base/bytes.h"
#include "store/access/digest.h"

namespace binnacle::store::access {

std::string_view audit_outcome_name(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::kOk:
      return "ok";
    case AuditOutcome::kRefused:
      return "refused";
    case AuditOutcome::kFailed:
      return "failed";
  }
  return "failed";
}

AuditOutcome audit_outcome_from_name(std::string_view name) {
  if (name == "ok") return AuditOutcome::kOk;
  return name == "refused" ? AuditOutcome::kRefused : AuditOutcome::kFailed;
}

std::string audit_chain_start() { return std::string(kSha256Bytes, '\0'); }

std::string audit_hash(std::string_view previous_hash, int64_t id, const AuditRecord& record) {
  std::string bytes(previous_hash);
  ByteWriter writer(bytes);
  writer.u64(static_cast<uint64_t>(id));
  writer.u64(static_cast<uint64_t>(record.time_ms));
  // Sized, so that no two records share one run of bytes.
  for (const std::string_view field :
       {std::string_view(record.action), std::string_view(record.actor.name),
        std::string_view(record.actor.key_id), std::string_view(record.actor.address),
        std::string_view(record.subject), audit_outcome_name(record.outcome),
        std::string_view(record.detail)}) {
    writer.sized(field);
  }
  return sha256(bytes);
}

}  // namespace binnacle::store::access
