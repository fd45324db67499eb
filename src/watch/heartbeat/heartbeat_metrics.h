// What the heartbeat counts about itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/instruments.h"
#include "model/node.h"
#include "watch/heartbeat/detector_types.h"

namespace binnacle::watch::heartbeat {

class HeartbeatMetrics {
 public:
  explicit HeartbeatMetrics(Registry& registry);

  void moved(model::NodeState from, model::NodeState to, bool first);
  void left_out(model::NodeState state);  // a node was forgotten
  void found_down(const Evidence& evidence);
  void counted(const DetectorCounts& counts);

  Gauge& own_lag;
  Gauge& missing;   // expected nodes
  Gauge& drifting;  // nodes
  Counter& flapping;
  Counter& events_lost;

 private:
  Registry& registry_;
  std::array<Gauge*, 6> nodes_;
  Counter& suspicions_;
  Counter& false_alarms_;
  Counter& replayed_;
  Counter& doubts_;
  Histogram& detection_;
  DetectorCounts told_;
};

}  // namespace binnacle::watch::heartbeat
