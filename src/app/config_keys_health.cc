#include "app/config_keys.h"
#include "base/config_units.h"
#include "watch/health/health_service.h"
#include "watch/health/hooks.h"

namespace binnacle::app {
namespace {

using watch::health::HealthOptions;

void add_check_keys(std::vector<ConfigKey>& keys) {
  const HealthOptions options;
  keys.push_back({.path = "health.checks_files",
                  .type = ConfigType::kStrings,
                  .default_text = "[]",
                  .meaning = "YAML files of checks (docs/health-checks.md), read again on reload.",
                  .reload = Reload::kLive});
  keys.push_back(
      {.path = "health.max_checks",
       .type = ConfigType::kInt,
       .default_text = std::to_string(options.max_checks),
       .unit = "checks",
       .meaning = "From files, registered and pushed together; further ones are refused.",
       .reload = Reload::kLive,
       .min = "1",
       .max = "100000"});
  keys.push_back({.path = "health.create_pushed",
                  .type = ConfigType::kBool,
                  .default_text = "true",
                  .meaning = "A pushed reading makes its check when nobody registered it.",
                  .reload = Reload::kLive});
  keys.push_back({.path = "health.pushed_ttl",
                  .type = ConfigType::kDuration,
                  .default_text = format_duration_ms(options.pushed_ttl_ms),
                  .meaning = "How long a pushed reading holds that names no time itself.",
                  .reload = Reload::kLive,
                  .min = "1s",
                  .max = "30d"});
  keys.push_back({.path = "health.forget_pushed",
                  .type = ConfigType::kDuration,
                  .default_text = format_duration_ms(options.forget_pushed_ms),
                  .meaning = "A check that pushing made goes when nothing came for so long.",
                  .reload = Reload::kLive,
                  .min = "1m",
                  .max = "1y"});
  keys.push_back({.path = "health.node_criticality",
                  .type = ConfigType::kMap,
                  .default_text = "{}",
                  .meaning =
                      "How much the cluster depends on nodes, by their role: `{worker: "
                      "contributing}` caps at degraded. A role that is not named is critical.",
                  .reload = Reload::kLive,
                  .choices = {"critical", "contributing", "informative"}});
}

void add_output_keys(std::vector<ConfigKey>& keys) {
  const HealthOptions options;
  keys.push_back({.path = "health.series_interval",
                  .type = ConfigType::kDuration,
                  .default_text = format_duration_ms(options.series_interval_ms),
                  .meaning = "How often health is written as series.",
                  .reload = Reload::kLive,
                  .min = "1s",
                  .max = "10m"});
  keys.push_back({.path = "health.history_retention",
                  .type = ConfigType::kDuration,
                  .default_text = format_duration_ms(options.history.max_age_ms),
                  .meaning = "How long changes of health are kept.",
                  .reload = Reload::kLive,
                  .min = "1h",
                  .max = "10y"});
  keys.push_back({.path = "health.history_max_count",
                  .type = ConfigType::kInt,
                  .default_text = std::to_string(options.history.max_count),
                  .unit = "changes",
                  .meaning = "The most changes of health that are kept; the oldest go first.",
                  .reload = Reload::kLive,
                  .min = "1000",
                  .max = "100000000"});
  keys.push_back({.path = "health.agent_check_listen",
                  .meaning = "Address of HAProxy's agent check (docs/health.md). Not set: off. It "
                             "knows no keys: anything but loopback needs `--insecure`.",
                  .check = check_door_address});
}

void add_hook_keys(std::vector<ConfigKey>& keys) {
  const watch::health::HookSpec hook;
  const auto add = [&](ConfigKey key) {
    key.path = "health.hooks[]." + key.path;
    key.reload = Reload::kLive;
    keys.push_back(std::move(key));
  };
  keys.push_back({.path = "health.hooks",
                  .type = ConfigType::kObjects,
                  .default_text = "[]",
                  .meaning = "Callbacks on events: each has a name, and a url or a command.",
                  .reload = Reload::kLive});
  add({.path = "name", .meaning = "Unique; under it is kept how far the hook has come."});
  add({.path = "events",
       .type = ConfigType::kStrings,
       .default_text = "[node., engine., health.]",
       .meaning = "What the kinds of events begin with that it is called for; `[]`: all."});
  add({.path = "url", .meaning = "Where each event is sent to by POST, as JSON."});
  add({.path = "bearer_token_file",
       .meaning = "File of a token for the `Authorization` header, read for each call."});
  add({.path = "ca_file", .meaning = "PEM file of the authorities of an https address."});
  add({.path = "headers",
       .type = ConfigType::kMap,
       .default_text = "{}",
       .meaning = "Further headers of each call."});
  add({.path = "command",
       .type = ConfigType::kStrings,
       .default_text = "[]",
       .meaning =
           "Program and arguments, without a shell; the event stands in `BINNACLE_EVENT_ID`, "
           "`_TIME`, `_KIND`, `_SUBJECT` and `_DATA` of its environment."});
  add({.path = "timeout",
       .type = ConfigType::kDuration,
       .default_text = format_duration_ms(hook.timeout_ms),
       .meaning = "Of one call.",
       .min = "100ms",
       .max = "10m"});
  add({.path = "retry_for",
       .type = ConfigType::kDuration,
       .default_text = format_duration_ms(hook.retry_for_ms),
       .meaning = "How long an event that fails is tried again before it is given up.",
       .min = "0",
       .max = "30d"});
}

}  // namespace

std::vector<ConfigKey> health_keys() {
  std::vector<ConfigKey> keys;
  add_check_keys(keys);
  add_output_keys(keys);
  add_hook_keys(keys);
  return keys;
}

}  // namespace binnacle::app
