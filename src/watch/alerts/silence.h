// Silences and acknowledgements: what keeps an alert from being told. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/labels.h"
#include "model/matcher.h"

namespace binnacle::watch::alerts {

enum class SilenceState : uint8_t { kPending, kActive, kExpired };

struct Silence {
  std::string id;  // a UUID
  model::Matchers matchers;
  int64_t starts_at_ms = 0;
  int64_t ends_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::string created_by;
  std::string comment;
  std::vector<std::pair<std::string, std::string>> annotations;

  SilenceState state(int64_t now_ms) const;
};

// "I am on it": the alert goes on but is neither repeated nor escalated while it stands. Ends with
// the alert, or at its expiry.
struct Acknowledgement {
  uint64_t fingerprint = 0;  // of the alert
  model::Labels labels;      // of the alert
  std::string by;
  std::string note;
  int64_t at_ms = 0;
  int64_t expires_at_ms = 0;  // 0: with the alert
};

}  // namespace binnacle::watch::alerts
