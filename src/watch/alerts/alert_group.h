// Alerts that one route tells together. Plain values; the dispatcher owns them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

// While a group's notifications are on their way. No other flush starts before it is over.
struct GroupFlush {
  int64_t started_ms = 0;
  std::set<uint64_t> deliveries;
  bool failed = false;
  bool any_firing = false;
  std::vector<std::pair<uint64_t, int64_t>> resolved;  // and when each was last updated
};

struct AlertGroup {
  int64_t id = 0;
  std::string route_id;
  model::Labels labels;
  int64_t next_flush_ms = 0;
  // Escalation counts from here; 0: nothing that fires was told.
  int64_t first_told_ms = 0;
  size_t escalated = 0;  // steps taken
  int64_t next_escalation_ms = INT64_MAX;

  const Route* route = nullptr;  // of the configuration in force
  std::string key;
  std::set<uint64_t> members;  // fingerprints
  bool announce_flapping = false;
  bool in_wait = false;  // made since the start and not flushed yet

  std::optional<GroupFlush> flush;
};

// `{alertname="a", b="c"}`, as Go prints a label set.
std::string label_set_text(model::LabelsView labels);

}  // namespace binnacle::watch::alerts
