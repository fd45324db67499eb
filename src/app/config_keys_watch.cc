#include "app/config_keys.h"
#include "base/config_units.h"
#include "watch/heartbeat/heartbeat.h"
#include "watch/heartbeat/up_writer.h"

namespace binnacle::app {
namespace {

using watch::heartbeat::DetectorOptions;

void add_cluster_keys(std::vector<ConfigKey>& keys) {
  const watch::heartbeat::HeartbeatOptions heartbeat;
  keys.push_back({.path = "cluster.nodes",
                  .type = ConfigType::kObjects,
                  .default_text = "[]",
                  .meaning = "Nodes that there are to be. One that has not been heard is unknown, "
                             "and a fault once `cluster.join_grace` is over."});
  keys.push_back({.path = "cluster.nodes[].name", .meaning = "The name that its agent has."});
  keys.push_back({.path = "cluster.nodes[].address", .meaning = "`host` or `host:port`."});
  keys.push_back({.path = "cluster.nodes[].role", .meaning = "As `worker` or `trainer`."});
  keys.push_back({.path = "cluster.nodes[].layers",
                  .type = ConfigType::kStrings,
                  .default_text = "[]",
                  .meaning = "Of the model, that the node is to serve: `0-15`."});
  keys.push_back({.path = "cluster.nodes_file",
                  .meaning = "A YAML or JSON file with more of them: a list of maps with `name`, "
                             "`address`, `role` and `layers`."});
  keys.push_back(duration_key("cluster.join_grace", heartbeat.join_grace_ms, "0s", "1w",
                              "How long after the start an expected node may be missing."));
}

void add_suspicion_keys(std::vector<ConfigKey>& keys, const DetectorOptions& detector) {
  keys.push_back({.path = "heartbeat.phi_threshold",
                  .type = ConfigType::kFloat,
                  .default_text = "8",
                  .meaning =
                      "Of phi accrual, over which a silence is suspicious: one beat in 10 to "
                      "the power of it comes later by chance.",
                  .min = "1",
                  .max = "100"});
  keys.push_back(duration_key("heartbeat.min_deviation", detector.phi.min_deviation_ms, "1ms",
                              "10s", "That beats are allowed, however regular they have been."));
  keys.push_back(duration_key("heartbeat.pause", detector.phi.pause_ms, "0s", "1m",
                              "That is acceptable beyond the mean interval of beats."));
  keys.push_back(duration_key("heartbeat.longest_silence", detector.longest_silence_ms, "100ms",
                              "1m", "Suspicious whatever phi says; 2.4 beat intervals at least."));
  keys.push_back(count_key("heartbeat.fall", detector.fall, "looks", "1", "100",
                           "In a row, 50 ms apart, that find a silence suspicious."));
  keys.push_back(count_key("heartbeat.rise", detector.rise, "beats", "1", "1000",
                           "In a row until a node that was down is up."));
}

void add_confirmation_keys(std::vector<ConfigKey>& keys, const DetectorOptions& detector) {
  keys.push_back(count_key("heartbeat.confirmers", static_cast<int64_t>(detector.confirmers),
                           "nodes", "1", "16",
                           "That are asked about a suspect, where there are as many."));
  keys.push_back(
      duration_key("heartbeat.not_back", detector.not_back_ms, "100ms", "10m",
                   "Until a node that cannot be probed and whose connection was closed is "
                   "down."));
  keys.push_back(duration_key("heartbeat.echo_interval", detector.echo_interval_ms, "20ms", "1s",
                              "Between two UDP echoes of one confirmer to a suspect."));
  keys.push_back(
      duration_key("heartbeat.echo_span", detector.echo_span_ms, "500ms", "25s",
                   "How long echoes must stay unanswered: longer than any pause of a node "
                   "that is no fault."));
  keys.push_back(duration_key("heartbeat.silent_down", detector.silent_down_ms, "500ms", "10m",
                              "After the last beat until a silent node is down, at the earliest."));
  keys.push_back(duration_key("heartbeat.no_beat_limit", detector.no_beat_limit_ms, "1s", "1h",
                              "Until a suspect that answers, but does not beat, is down."));
  keys.push_back(duration_key("heartbeat.alone_limit", detector.alone_limit_ms, "1s", "1h",
                              "Until a suspect is down that nobody can be asked about."));
}

void add_history_keys(std::vector<ConfigKey>& keys, const DetectorOptions& detector) {
  keys.push_back(duration_key("heartbeat.own_lag", detector.own_lag_ms, "60ms", "1m",
                              "That this server may be late by before it doubts itself and open "
                              "suspicions start over."));
  keys.push_back(duration_key("heartbeat.clock_jump", detector.clock_jump_ms, "100ms", "1h",
                              "Of this server's clock, that does the same."));
  keys.push_back(duration_key("heartbeat.readmission.first", detector.readmission.first_ms, "0s",
                              "1h",
                              "That a node must be back after its second death before it is up; "
                              "doubled with each further one."));
  keys.push_back(duration_key("heartbeat.readmission.longest", detector.readmission.longest_ms,
                              "0s", "1d", "Of these times."));
  keys.push_back(duration_key("heartbeat.readmission.quiet", detector.readmission.quiet_ms, "1s",
                              "1w", "Without a death, that takes one doubling back."));
  keys.push_back(count_key("heartbeat.flapping.changes", detector.flapping.changes, "changes", "2",
                           "1000",
                           "Of state, beyond which a node flaps: one event instead of many."));
  keys.push_back(duration_key("heartbeat.flapping.window", detector.flapping.window_ms, "1s", "1d",
                              "That they are counted in."));
  keys.push_back(duration_key("heartbeat.up_interval",
                              watch::heartbeat::UpWriterOptions().interval_ms, "1s", "2m",
                              "Of the series `up` of nodes; as agents collect."));
}

}  // namespace

std::vector<ConfigKey> watch_keys() {
  const DetectorOptions detector;
  std::vector<ConfigKey> keys;
  add_cluster_keys(keys);
  add_suspicion_keys(keys, detector);
  add_confirmation_keys(keys, detector);
  add_history_keys(keys, detector);
  return keys;
}

}  // namespace binnacle::app
