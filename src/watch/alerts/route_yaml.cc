#include "watch/alerts/route_yaml.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config_units.h"
#include "watch/alerts/alert_extensions.h"
#include "watch/alerts/known_names.h"
#include "watch/alerts/matcher_text.h"
#include "watch/alerts/matchers_yaml.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kAllLabels = "...";

// Routes below begin as the one above but for what is each one's own.
Route child_of(const Route& parent) {
  Route route;
  route.receiver = parent.receiver;
  route.group_by = parent.group_by;
  route.group_by_all = parent.group_by_all;
  route.group_wait_ms = parent.group_wait_ms;
  route.group_interval_ms = parent.group_interval_ms;
  route.repeat_interval_ms = parent.repeat_interval_ms;
  route.labels = parent.labels;
  route.escalation = parent.escalation;
  return route;
}

void read_receiver(YamlMap& map, const AlertConfig& config, Route& route) {
  const auto field = map.field("receiver");
  if (!field) return;
  const auto name = field->text();
  if (!name || name->empty()) return;
  route.receiver = *name;
  check_name(*field, "receiver", *name, config.receivers);
}

void read_intervals(YamlMap& map, std::string_view key, const AlertConfig& config,
                    std::vector<std::string>& out) {
  const auto field = map.field(key);
  if (!field) return;
  for (const YamlValue& item : field->items()) {
    auto name = item.text();
    if (!name) continue;
    check_name(item, "time interval", *name, config.time_intervals);
    out.push_back(std::move(*name));
  }
}

void read_group_by(YamlMap& map, Route& route) {
  const auto field = map.field("group_by");
  if (!field) return;
  std::vector<std::string> names = read_label_names(*field);
  const bool all = std::erase(names, kAllLabels) > 0;
  if (all && !names.empty()) {
    field->problem("'...' groups by all labels: remove it or the other labels");
  }
  route.group_by_all = all;
  route.group_by = std::move(names);
}

void read_interval(YamlMap& map, std::string_view name, int64_t& out_ms) {
  const auto field = map.field(name);
  if (!field) return;
  const auto value = field->duration_ms();
  if (!value) return;
  if (*value == 0) return field->problem(fmt::format("{} is zero: write 1s or more", name));
  out_ms = *value;
}

void read_times(YamlMap& map, Route& route) {
  map.duration("group_wait", route.group_wait_ms);
  read_interval(map, "group_interval", route.group_interval_ms);
  read_interval(map, "repeat_interval", route.repeat_interval_ms);
  if (route.repeat_interval_ms < route.group_interval_ms) {
    map.value().warn(fmt::format(
        "repeat_interval ({}) is shorter than group_interval ({}): notifications repeat with "
        "group_interval",
        format_duration_ms(route.repeat_interval_ms), format_duration_ms(route.group_interval_ms)));
  }
}

void read_labels(YamlMap& map, Route& route) {
  const auto field = map.field("labels");
  if (!field) return;
  for (auto& [name, value] : field->string_map()) {
    if (name.empty()) {
      field->problem("a label name is empty");
      continue;
    }
    const auto same =
        std::ranges::find(route.labels, name, [](const auto& pair) { return pair.first; });
    if (same != route.labels.end()) {
      same->second = std::move(value);
    } else {
      route.labels.emplace_back(name, std::move(value));
    }
  }
}

void read_matchers(YamlMap& map, Route& route) {
  read_matcher_map(map, "match", model::MatchOp::kEqual, route.matchers);
  read_matcher_map(map, "match_re", model::MatchOp::kRegex, route.matchers);
  read_matcher_list(map, "matchers", route.matchers);
  sort_matchers(route.matchers);
}

Route read_route(const YamlValue& value, const AlertConfig& config, Route route,
                 const Route* parent, size_t index) {
  YamlMap map(value);
  read_receiver(map, config, route);
  read_group_by(map, route);
  read_times(map, route);
  read_labels(map, route);
  read_matchers(map, route);
  read_intervals(map, "mute_time_intervals", config, route.mute_time_intervals);
  read_intervals(map, "active_time_intervals", config, route.active_time_intervals);
  map.read("continue", route.continues);
  if (const auto extension = map.field(kExtensionKey)) {
    YamlMap fields(*extension);
    read_route_extension(fields, config, route);
    fields.finish();
  }
  const std::string own = format_matchers(route.matchers);
  route.key = parent == nullptr ? own : parent->key + '/' + own;
  route.id = parent == nullptr ? own : fmt::format("{}/{}/{}", parent->id, own, index);
  if (const auto below = map.field("routes")) {
    size_t i = 0;
    for (const YamlValue& item : below->items()) {
      route.routes.push_back(read_route(item, config, child_of(route), &route, i++));
    }
  }
  map.finish();
  return route;
}

void check_root(const YamlValue& value, const Route& root) {
  if (root.receiver.empty()) value.problem("the root route names no receiver: add one");
  if (!root.matchers.empty()) {
    value.problem("the root route has matchers: it takes every alert; move them to a route below");
  }
  if (!root.mute_time_intervals.empty() || !root.active_time_intervals.empty()) {
    value.problem("the root route has time intervals: move them to a route below");
  }
  if (root.continues) value.problem("the root route has continue: there is no route beside it");
}

}  // namespace

Route read_route_tree(const YamlValue& root, const AlertConfig& config) {
  Route route = read_route(root, config, Route(), nullptr, 0);
  check_root(root, route);
  return route;
}

void visit_routes(Route& route, const std::function<void(Route&)>& visit) {
  visit(route);
  for (Route& below : route.routes) visit_routes(below, visit);
}

void visit_routes(const Route& route, const std::function<void(const Route&)>& visit) {
  visit(route);
  for (const Route& below : route.routes) visit_routes(below, visit);
}

}  // namespace binnacle::watch::alerts
