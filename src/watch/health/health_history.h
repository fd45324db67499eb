// The history of changes of health in the state file, with its reasons. Any thread but I/O threads.
// Range 300 to 399 of migration numbers; described in docs/formats/state.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/state/migrations.h"
#include "store/state/state_store.h"
#include "watch/health/health_change.h"

namespace binnacle::watch::health {

std::span<const store::state::Migration> health_migrations();

struct HistoryRetention {
  int64_t max_age_ms = int64_t{90} * 24 * 3600 * 1000;
  int64_t max_count = 1'000'000;
};

// Empty fields ask for all.
struct HistoryQuery {
  std::optional<Scope> scope;
  std::string name;
  std::string component;
  std::string node;
  int64_t before_id = 0;  // 0: from the newest
  size_t limit = 100;
};

class HealthHistory {
 public:
  explicit HealthHistory(store::state::StateStore& store) : store_(store) {}  // outlives it

  Status add(std::span<const HealthChange> changes);
  // Newest first.
  Result<std::vector<HealthChange>> recent(const HistoryQuery& query);
  // Removes what is too old or too many, a few thousand rows a write; answers how many.
  Result<int64_t> prune(const HistoryRetention& retention, int64_t now_ms);

 private:
  store::state::StateStore& store_;
};

}  // namespace binnacle::watch::health
