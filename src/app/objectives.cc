#include "app/objectives.h"

namespace binnacle::app {

std::vector<watch::rules::Objective> configured_objectives(const Config& config) {
  std::vector<watch::rules::Objective> objectives;
  for (size_t i = 0; i < config.list_size("slo"); ++i) {
    const Config entry = config.at("slo", i);
    watch::rules::Objective objective;
    objective.name = entry.get_string("name");
    objective.model = entry.get_string("model");
    // The schema knows the kinds.
    objective.kind = *watch::rules::objective_kind(entry.get_string("kind"));
    objective.target = entry.get_float("target");
    objective.threshold = entry.get_float("threshold");
    objective.window_ms = entry.get_duration_ms("window");
    objectives.push_back(std::move(objective));
  }
  return objectives;
}

}  // namespace binnacle::app
