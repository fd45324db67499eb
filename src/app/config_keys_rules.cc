#include "app/config_keys.h"
#include "watch/rules/alertmanagers.h"
#include "watch/rules/rule_service.h"

namespace binnacle::app {

std::vector<ConfigKey> rule_keys() {
  const watch::rules::GroupSettings group;
  const watch::rules::RuleServiceOptions service;
  const watch::rules::AlertmanagerOptions outside;
  std::vector<ConfigKey> keys;
  const auto live = [&](ConfigKey key) {
    key.reload = Reload::kLive;
    keys.push_back(std::move(key));
  };
  live({.path = "rules.files",
        .type = ConfigType::kStrings,
        .default_text = "[]",
        .meaning = "Rule files as Prometheus writes them, shell patterns among them "
                   "(docs/rules.md). Those of `rule_files` in a prometheus.yml come beside."});
  live({.path = "rules.default_rules",
        .type = ConfigType::kBool,
        .default_text = "true",
        .meaning = "The rules that Binnacle brings along, too."});
  live(duration_key("rules.evaluation_interval", group.evaluation_interval_ms, "100ms", "1d",
                    "Of groups that name none; groups of a prometheus.yml go by its `global`."));
  live(duration_key("rules.query_offset", group.query_offset_ms, "0s", "1d",
                    "How far behind groups that name none look, for samples that come late."));
  live(duration_key("rules.resend_delay", group.resend_delay_ms, "1s", "1d",
                    "Until an alert that goes on is told again."));
  live(duration_key("rules.outage_tolerance", group.outage_tolerance_ms, "0s", "30d",
                    "Alerts come back after a start when rules ran within that time."));
  live(duration_key("rules.for_grace_period", group.for_grace_period_ms, "0s", "1d",
                    "From a start to firing at the earliest, of alerts that are known from "
                    "`ALERTS_FOR_STATE` alone."));
  live({.path = "rules.external_url",
        .meaning =
            "Of this server, for links in alerts. Not set: that of the first listener, with the "
            "machine's name where it listens on all addresses.",
        .check = [](std::string_view text) -> std::string {
          const bool good =
              text.empty() || text.starts_with("http://") || text.starts_with("https://");
          return good ? "" : "write http:// or https://";
        }});
  keys.push_back(count_key("rules.threads", static_cast<int64_t>(service.threads), "threads", "1",
                           "64", "Groups that are evaluated at a time."));
  keys.push_back(count_key("rules.notify_queue", static_cast<int64_t>(outside.queue_capacity),
                           "alerts", "1", "1000000",
                           "That wait for one Alertmanager outside; beyond, the oldest go."));
  return keys;
}

}  // namespace binnacle::app
