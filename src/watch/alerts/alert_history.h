// The history of alerts and notifications in the state file: search and retention. Any thread but
// I/O threads. The StateStore outlives it.
#pragma once

#include <cstdint>
#include <vector>

#include "store/state/state_store.h"
#include "watch/alerts/alert_limits.h"
#include "watch/alerts/alert_service.h"

namespace binnacle::watch::alerts {

class AlertHistory {
 public:
  explicit AlertHistory(store::state::StateStore& store) : store_(store) {}

  // Newest first. Looks at 100,000 lines at most; fewer than asked for then.
  Result<std::vector<AlertHistoryEntry>> search(const AlertHistoryQuery& query, int64_t now_ms);
  // Removes what is too old or too many, a few thousand rows a write; answers how many.
  Result<int64_t> prune(const AlertLimits& limits, int64_t now_ms);

 private:
  store::state::StateStore& store_;
};

}  // namespace binnacle::watch::alerts
