// What the router counts, with Alertmanager's meanings. Owned by the router; any thread.
#pragma once

#include <string>

#include "base/instruments.h"

namespace binnacle::watch::alerts {

struct AlertInstruments {
  explicit AlertInstruments(Registry& registry);

  Counter& notifications(const std::string& integration);
  Counter& notifications_failed(const std::string& integration);
  Counter& requests(const std::string& integration);
  Counter& requests_failed(const std::string& integration);
  Histogram& latency(const std::string& integration);
  Counter& suppressed(const std::string& reason);

  Registry& registry;
  Counter& received_firing;
  Counter& received_resolved;
  Counter& invalid;
  Counter& group_limit_reached;
  Counter& escalations;
  Counter& commits_failed;
  Counter& history_dropped;
  Gauge& firing;
  Gauge& resolved;
  Gauge& groups;
  Gauge& silences_active;
  Gauge& silences_pending;
  Gauge& silences_expired;
  Gauge& acknowledged;
  Gauge& flapping;
  Gauge& sends_waiting;
};

}  // namespace binnacle::watch::alerts
