// One entry of webhook_configs, slack_configs and the like: its fields, their defaults, and what it
// takes over from `global`. Pure.
#pragma once

#include <span>
#include <string_view>

#include "base/yaml_reader.h"
#include "watch/alerts/global_yaml.h"
#include "watch/alerts/receiver_config.h"

namespace binnacle::watch::alerts {

struct IntegrationKind {
  std::string_view name;  // "webhook": the key is webhook_configs
  bool send_resolved;     // by default
  bool http;              // has an http_config
  // Takes its fields out of the map and fills in `out.config`.
  void (*read)(YamlMap& map, const GlobalSettings& global, Integration& out);
};

// In the order in which Alertmanager tells the integrations of a receiver.
std::span<const IntegrationKind> integration_kinds();
// Those of Alertmanager that are not here.
std::span<const std::string_view> missing_integration_kinds();

void read_webhook(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_email(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_pagerduty(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_slack(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_telegram(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_discord(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_teams(YamlMap& map, const GlobalSettings& global, Integration& out);
void read_teams_workflow(YamlMap& map, const GlobalSettings& global, Integration& out);

}  // namespace binnacle::watch::alerts
