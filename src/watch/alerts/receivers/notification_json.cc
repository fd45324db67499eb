#include "watch/alerts/receivers/notification_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

#include "watch/alerts/receivers/json_fields.h"
#include "watch/alerts/receivers/notification_text.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(model::LabelsView labels) {
  ordered_json out = ordered_json::object();
  for (const model::Label& label : labels) out[std::string(label.name)] = label.value;
  return out;
}

ordered_json json_of(const model::Alert& alert, int64_t now_ms) {
  const bool resolved = alert.resolved_at(now_ms);
  return {{"status", resolved ? "resolved" : "firing"},
          {"labels", json_of(alert.labels)},
          {"annotations", json_of(alert.annotations)},
          {"startsAt", go_time(alert.starts_at_ms)},
          // The end of a firing alert is only when it would be given up.
          {"endsAt", go_time(resolved ? alert.ends_at_ms : 0)},
          {"generatorURL", alert.generator_url},
          {"fingerprint", fmt::format("{:016x}", model::alert_fingerprint(alert.labels))}};
}

// As Go's regexp.QuoteMeta: Alertmanager gives the receiver's name as a regular expression.
std::string quote_meta(std::string_view text) {
  constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// What all have alike.
model::Labels common(std::span<const model::Alert> alerts, model::Labels model::Alert::*which) {
  model::LabelsBuilder out;
  if (alerts.empty()) return out.build();
  for (const model::Label& label : alerts.front().*which) {
    const bool everywhere = std::all_of(alerts.begin(), alerts.end(), [&](const model::Alert& one) {
      return (one.*which).get(label.name) == label.value;
    });
    if (everywhere) out.set(label.name, label.value);
  }
  return out.build();
}

}  // namespace

std::string notification_json(const Notification& notification, uint64_t max_alerts,
                              bool extended) {
  std::span<const model::Alert> alerts = notification.alerts;
  if (max_alerts > 0 && alerts.size() > max_alerts) alerts = alerts.first(max_alerts);
  bool firing = false;
  ordered_json list = ordered_json::array();
  for (const model::Alert& alert : alerts) {
    firing = firing || !alert.resolved_at(notification.now_ms);
    list.push_back(json_of(alert, notification.now_ms));
  }
  ordered_json out = {{"receiver", quote_meta(notification.receiver)},
                      {"status", firing ? "firing" : "resolved"},
                      {"alerts", std::move(list)},
                      {"groupLabels", json_of(notification.group_labels)},
                      {"commonLabels", json_of(common(alerts, &model::Alert::labels))},
                      {"commonAnnotations", json_of(common(alerts, &model::Alert::annotations))},
                      {"externalURL", notification.external_url},
                      {"version", "4"},
                      {"groupKey", notification.group_key},
                      {"truncatedAlerts", notification.alerts.size() - alerts.size()}};
  if (extended) {
    out["reason"] = notification.reason;
    out["routeLabels"] = json_of(notification.route_labels);
    ordered_json context = ordered_json::object();
    for (const auto& [name, value] : notification.context) context[name] = value;
    out["context"] = std::move(context);
  }
  return json_text(out);
}

}  // namespace binnacle::watch::alerts
