#include "watch/heartbeat/heartbeat_metrics.h"

namespace binnacle::watch::heartbeat {
namespace {

constexpr double kDetectionBounds[] = {0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 2.5, 3, 4, 5, 10, 30, 60};

void add_new(Counter& counter, uint64_t now, uint64_t before) {
  if (now > before) counter.add(static_cast<double>(now - before));
}

}  // namespace

HeartbeatMetrics::HeartbeatMetrics(Registry& r)
    : own_lag(r.gauge("binnacle_heartbeat_own_lag_seconds",
                      "How late this server's own failure detection is.")),
      missing(r.gauge("binnacle_heartbeat_expected_missing",
                      "Expected nodes that have never been heard.")),
      drifting(r.gauge("binnacle_heartbeat_drifting_nodes",
                       "Nodes that run something else than most of their role.")),
      flapping(r.counter("binnacle_heartbeat_flapping_total",
                         "Nodes that began to change their state too often.")),
      events_lost(r.counter("binnacle_heartbeat_events_lost_total",
                            "Events of failure detection that could not be stored.")),
      registry_(r),
      suspicions_(r.counter("binnacle_heartbeat_suspicions_total",
                            "Nodes that were suspected to be down.")),
      false_alarms_(r.counter("binnacle_heartbeat_false_alarms_total",
                              "Suspicions that ended with the node alive.")),
      replayed_(r.counter("binnacle_heartbeat_replayed_beats_total",
                          "Beats whose number had come before, or of no connection.")),
      doubts_(r.counter("binnacle_heartbeat_doubts_total",
                        "Times that this server stood still or its clock jumped, so that open "
                        "suspicions began anew.")),
      detection_(r.histogram("binnacle_heartbeat_detection_seconds",
                             "From the last beat of a node to its being down.", kDetectionBounds)) {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const auto state = static_cast<model::NodeState>(i);
    nodes_[i] = &r.gauge("binnacle_heartbeat_nodes", "Nodes by state.",
                         {{"state", std::string(model::node_state_name(state))}});
  }
}

void HeartbeatMetrics::moved(model::NodeState from, model::NodeState to, bool first) {
  if (!first) nodes_[static_cast<size_t>(from)]->add(-1);
  nodes_[static_cast<size_t>(to)]->add(1);
}

void HeartbeatMetrics::left_out(model::NodeState state) {
  nodes_[static_cast<size_t>(state)]->add(-1);
}

void HeartbeatMetrics::found_down(const Evidence& evidence) {
  detection_.observe(static_cast<double>(evidence.silent_ms) / 1000);
  registry_
      .counter("binnacle_heartbeat_downs_total", "Nodes that were found to be down, by evidence.",
               {{"cause", std::string(cause_name(evidence.cause))}})
      .add();
}

void HeartbeatMetrics::counted(const DetectorCounts& counts) {
  add_new(suspicions_, counts.suspicions, told_.suspicions);
  add_new(false_alarms_, counts.false_alarms, told_.false_alarms);
  add_new(replayed_, counts.replayed_beats, told_.replayed_beats);
  add_new(doubts_, counts.doubts, told_.doubts);
  told_ = counts;
}

}  // namespace binnacle::watch::heartbeat
