// What the targets API tells. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collect/scrape/family_table.h"
#include "collect/scrape/scrape_instruments.h"
#include "model/labels.h"

namespace binnacle::collect::scrape {

struct ActiveTarget {
  std::string pool;  // the job's name in the configuration
  model::Labels discovered;
  model::Labels labels;
  std::string url;
  TargetHealth health = TargetHealth::kUnknown;
  std::string last_error;      // of one that is up: what of its page was not stored
  int64_t last_scrape_ms = 0;  // 0: none yet
  double last_duration_seconds = 0;
  int64_t interval_ms = 0;
  int64_t timeout_ms = 0;
};

struct DroppedTarget {
  std::string pool;
  model::Labels discovered;
};

struct TargetMetadata {
  model::Labels target;
  FamilyTable::List families;
};

// By pool, then in the order of discovery. Any thread.
class TargetStatuses {
 public:
  virtual ~TargetStatuses() = default;
  virtual std::vector<ActiveTarget> active() const = 0;
  virtual std::vector<DroppedTarget> dropped() const = 0;
  virtual std::map<std::string, uint64_t> dropped_counts() const = 0;  // of every pool
  virtual std::vector<std::string> pools() const = 0;                  // sorted
  virtual std::vector<TargetMetadata> metadata() const = 0;
};

}  // namespace binnacle::collect::scrape
