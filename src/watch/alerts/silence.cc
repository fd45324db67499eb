#include "watch/alerts/silence.h"

namespace binnacle::watch::alerts {

SilenceState Silence::state(int64_t now_ms) const {
  if (ends_at_ms <= now_ms) return SilenceState::kExpired;
  return now_ms < starts_at_ms ? SilenceState::kPending : SilenceState::kActive;
}

}  // namespace binnacle::watch::alerts
