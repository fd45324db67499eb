#include "app/config_keys.h"
#include "app/engine_watch.h"
#include "base/config_units.h"

namespace binnacle::app {
namespace {

std::vector<ConfigKey> judging_keys() {
  const EngineWatchOptions engines;
  const watch::health::ProgressOptions limits;
  return {
      {.path = "health.engines.enabled",
       .type = ConfigType::kBool,
       .default_text = engines.judged ? "true" : "false",
       .meaning = "Judge the engines of this machine by their progress. Server and agent."},
      {.path = "health.engines.canaries",
       .type = ConfigType::kBool,
       .default_text = engines.judging.canaries ? "true" : "false",
       .meaning = "Ask engines for one token now and then: without, one that stops while nobody "
                  "uses it is not noticed."},
      duration_key("health.engines.look_interval", limits.look_interval_ms, "100ms", "1m",
                   "Between two looks at an engine's numbers."),
      duration_key("health.engines.stall_limit", limits.stall_limit_ms, "1s", "10m",
                   "Requests in flight without progress for so long, and a token asked for in "
                   "vain: wedged. A slow engine has twice its longest pause of late."),
      duration_key("health.engines.hard_limit", limits.hard_limit_ms, "1s", "1h",
                   "The same for an engine whose GPU or processes work all the while."),
      duration_key("health.engines.silent_limit", limits.silent_limit_ms, "1s", "10m",
                   "Connections taken and nothing answered for so long, by processes that do "
                   "nothing: wedged."),
      duration_key("health.engines.idle_canary", limits.idle_canary_ms, "0s", "1h",
                   "Between two tokens asked of an engine that nobody uses; 0s: none."),
      duration_key("health.engines.busy_canary", limits.busy_canary_ms, "0s", "1h",
                   "The same of one that is in use; 0s: none."),
      duration_key("health.engines.canary_timeout", limits.canary_timeout_ms, "100ms", "5m",
                   "How long a token may take."),
      duration_key("health.engines.cold_canary_timeout", limits.cold_canary_timeout_ms, "100ms",
                   "10m", "How long the first one may take."),
  };
}

}  // namespace

std::vector<ConfigKey> engine_keys() {
  const EngineWatchOptions engines;
  std::vector<ConfigKey> keys = {
      {.path = "collect.engines.enabled",
       .type = ConfigType::kBool,
       .default_text = engines.enabled ? "true" : "false",
       .meaning = "Look for inference engines on this machine by processes and ports, scrape or "
                  "poll those found. Server and agent."},
      duration_key("collect.engines.search_interval", engines.search_interval_ms, "1s", "1h",
                   "Between two looks."),
      duration_key("collect.engines.scrape_interval", engines.scrape_interval_ms, "1s", "10m",
                   "Of the engines found."),
      duration_key("collect.engines.keep_gone", engines.keep_gone_ms, "0s", "7d",
                   "An engine whose process has ended is told as down so long, then forgotten."),
  };
  for (ConfigKey& key : judging_keys()) keys.push_back(std::move(key));
  return keys;
}

}  // namespace binnacle::app
