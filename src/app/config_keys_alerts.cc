#include "app/config_keys.h"
#include "base/config_units.h"
#include "watch/alerts/alert_limits.h"

namespace binnacle::app {
namespace {

void add_source_keys(std::vector<ConfigKey>& keys) {
  keys.push_back({.path = "alerts.config_file",
                  .meaning = "File of routes and receivers in Alertmanager's format "
                             "(docs/alerting-config.md), read again on reload. Not set: alerts are "
                             "kept and shown, and nobody is told."});
  keys.push_back({.path = "alerts.external_url",
                  .meaning = "Address of this server as people reach it, for links in "
                             "notifications. Not set: the first of `server.listen`, with the "
                             "machine's name where that is all addresses."});
}

void add_kept_keys(std::vector<ConfigKey>& keys) {
  const watch::alerts::AlertLimits limits;
  keys.push_back(duration_key("alerts.retention", limits.retention_ms, "1h", "10y",
                              "How long ended silences are kept, and what was told to whom."));
  keys.push_back(duration_key("alerts.history_retention", limits.history_max_age_ms, "1h", "10y",
                              "How long the history of alerts is kept."));
  keys.push_back(count_key("alerts.history_max_count", limits.history_max_count, "entries", "1000",
                           "100000000",
                           "The most entries of the history that are kept; the oldest go first."));
  keys.push_back(duration_key("alerts.silence_reminder", limits.silence_reminder_ms, "0s", "7d",
                              "How long before its end a silence is reminded of; 0: never."));
  keys.push_back(count_key("alerts.flap_changes", static_cast<int64_t>(limits.flap_changes),
                           "changes", "0", "1000",
                           "An alert that fires and resolves more often than this within "
                           "`alerts.flap_window` is flapping, and told as such once; 0: never."));
  keys.push_back(duration_key("alerts.flap_window", limits.flap_window_ms, "1m", "24h",
                              "What `alerts.flap_changes` counts over."));
}

void add_limit_keys(std::vector<ConfigKey>& keys) {
  const watch::alerts::AlertLimits limits;
  const auto add = [&](const char* name, size_t value, const char* unit, const char* max,
                       const char* meaning) {
    keys.push_back(count_key(std::string("alerts.") + name, static_cast<int64_t>(value), unit, "1",
                             max, meaning));
  };
  add("max_alerts", limits.max_alerts, "alerts", "10000000",
      "Firing, and resolved ones that are still to be told; further ones are refused.");
  add("max_groups", limits.max_groups, "groups", "10000000",
      "Groups of alerts at a time; an alert that needs a further one is kept and not told.");
  add("max_silences", limits.max_silences, "silences", "1000000",
      "Silences, ended ones that are kept included; further ones are refused.");
  add("max_acknowledgements", limits.max_acknowledgements, "acknowledgements", "10000000",
      "Acknowledgements that stand; further ones are refused.");
  add("max_sends", limits.max_sends_at_once, "notifications", "1000",
      "On their way at a time by one integration of a receiver; more wait.");
  add("max_sends_waiting", limits.max_sends_waiting, "notifications", "1000000",
      "For one integration of a receiver; more are given up, and told with the group's next look.");
  const auto add_bytes = [&](const char* name, size_t value, const char* meaning) {
    keys.push_back({.path = std::string("alerts.") + name,
                    .type = ConfigType::kBytes,
                    .default_text = format_bytes(static_cast<int64_t>(value)),
                    .meaning = meaning,
                    .min = "1KiB",
                    .max = "64MiB"});
  };
  add_bytes("max_alert_bytes", limits.max_alert_bytes,
            "Labels, annotations and link of one alert; larger ones are refused.");
  add_bytes("max_silence_bytes", limits.max_silence_bytes,
            "Matchers, comment and annotations of one silence; larger ones are refused.");
}

}  // namespace

std::vector<ConfigKey> alert_keys() {
  std::vector<ConfigKey> keys;
  add_source_keys(keys);
  add_kept_keys(keys);
  add_limit_keys(keys);
  for (ConfigKey& key : keys) key.reload = Reload::kLive;
  return keys;
}

}  // namespace binnacle::app
