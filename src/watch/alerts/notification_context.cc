#include "watch/alerts/notification_context.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle::watch::alerts {
namespace {

constexpr size_t kValues = 5;
constexpr int64_t kBeforeMs = 30 * 60'000;  // shown before the first start
constexpr std::string_view kFromAnnotations[] = {"value", "check", "runbook_url"};

std::string who(const model::Alert& alert) {
  std::string name(alert.labels.get(model::kAlertName));
  const std::string_view instance = alert.labels.get("instance");
  return instance.empty() ? name : fmt::format("{} {}", name, instance);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> notification_context(
    const Notification& notification) {
  std::vector<std::pair<std::string, std::string>> context;
  int64_t from_ms = notification.now_ms;
  for (const model::Alert& alert : notification.alerts) {
    from_ms = std::min(from_ms, alert.starts_at_ms);
  }
  for (const std::string_view name : kFromAnnotations) {
    size_t count = 0;
    for (const model::Alert& alert : notification.alerts) {
      const std::string_view value = alert.annotations.get(name);
      if (value.empty() || ++count > kValues) continue;
      context.emplace_back(name, fmt::format("{}: {}", who(alert), value));
    }
  }
  if (notification.external_url.empty()) return context;
  context.emplace_back("page", fmt::format("{}/alerts?from={}&to={}", notification.external_url,
                                           from_ms - kBeforeMs, notification.now_ms));
  return context;
}

}  // namespace binnacle::watch::alerts
