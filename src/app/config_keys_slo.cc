#include "app/config_keys.h"
#include "app/objectives.h"
#include "watch/rules/objectives.h"

#include <fmt/format.h>

#include "base/config.h"
#include "base/config_units.h"

namespace binnacle::app {

std::vector<ConfigKey> objective_keys() {
  const watch::rules::Objective objective;
  std::vector<ConfigKey> keys;
  keys.push_back({.path = "slo",
                  .type = ConfigType::kObjects,
                  .default_text = "[]",
                  .meaning = "Objectives of models (docs/objectives.md): each becomes rules for "
                             "compliance, error budget and burn-rate alerts.",
                  .reload = Reload::kLive});
  const auto add = [&](ConfigKey key) {
    key.path = "slo[]." + key.path;
    key.reload = Reload::kLive;
    keys.push_back(std::move(key));
  };
  add({.path = "name", .meaning = "Unique; label `slo` of what is recorded."});
  add({.path = "model", .meaning = "As label `model` of the `llm_*` series has it."});
  add({.path = "kind",
       .type = ConfigType::kEnum,
       .default_text = std::string(objective_kind_name(objective.kind)),
       .meaning = "What must be good.",
       .choices = {"ttft", "tokens_per_second", "error_rate", "availability"}});
  add({.path = "target",
       .type = ConfigType::kFloat,
       .default_text = fmt::format("{}", objective.target),
       .meaning = "The share that must be good, over 0 and under 1.",
       .min = "0",
       .max = "1"});
  add({.path = "threshold",
       .type = ConfigType::kFloat,
       .default_text = "0",
       .meaning = "Of `ttft` seconds, of `tokens_per_second` tokens a second; others have none.",
       .min = "0",
       .max = "1000000"});
  add({.path = "window",
       .type = ConfigType::kDuration,
       .default_text = format_duration_ms(objective.window_ms),
       .meaning = "Over which the target holds.",
       .min = "1d",
       .max = "366d"});
  return keys;
}

void check_objectives(const Config& config, ConfigProblems& problems) {
  const auto rules = watch::rules::objective_rule_file(configured_objectives(config));
  if (!rules) problems.add(config.line_of("slo"), "slo: " + rules.error().message);
}

}  // namespace binnacle::app
