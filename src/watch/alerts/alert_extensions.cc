#include "watch/alerts/alert_extensions.h"

#include <algorithm>

#include "watch/alerts/known_names.h"
#include "watch/alerts/matchers_yaml.h"
#include "watch/alerts/route_yaml.h"
#include "watch/alerts/time_interval_yaml.h"

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kMinExecTimeoutMs = 100;

ExecConfig read_exec(YamlMap& map, bool& send_resolved) {
  ExecConfig config;
  map.read("command", config.command);
  map.duration("timeout", config.timeout_ms);
  map.read("send_resolved", send_resolved);
  map.finish();
  if (config.command.empty() || !config.command.front().starts_with('/')) {
    map.value().problem(
        "command is missing or is no list that begins with a program's whole path: write "
        "[/path/of/program, argument, ...]");
  }
  if (config.timeout_ms < kMinExecTimeoutMs) {
    map.value().problem("timeout is shorter than 100ms: give the program time to run");
  }
  return config;
}

void read_programs(const YamlValue& list, Receiver& receiver) {
  size_t index =
      static_cast<size_t>(std::ranges::count(receiver.integrations, "exec", &Integration::kind));
  for (const YamlValue& item : list.items()) {
    YamlMap map(item);
    Integration one;
    one.kind = "exec";
    one.index = index++;
    one.max_per_minute = 0;
    one.config = read_exec(map, one.send_resolved);
    receiver.integrations.push_back(std::move(one));
  }
}

void read_rate(YamlMap& map, Receiver& receiver) {
  const auto field = map.field("max_per_minute");
  if (!field) return;
  const auto rate = field->integer();
  if (!rate) return;
  if (*rate < 1) return field->problem("nothing would be sent", std::to_string(*rate), "1 or more");
  for (Integration& one : receiver.integrations) one.max_per_minute = *rate;
}

std::vector<EscalationStep> read_steps(YamlMap& map, const AlertConfig& config) {
  std::vector<EscalationStep> out;
  const auto list = map.field("steps");
  if (!list || list->items().empty()) {
    map.value().problem("steps are missing: write [{after: 10m, receiver: NAME}, ...]");
    return out;
  }
  for (const YamlValue& item : list->items()) {
    YamlMap fields(item);
    EscalationStep step;
    fields.duration("after", step.after_ms);
    fields.read("receiver", step.receiver);
    fields.finish();
    check_name(item, "receiver", step.receiver, config.receivers);
    if (step.after_ms <= (out.empty() ? 0 : out.back().after_ms)) {
      item.problem("after is missing or not later than that of the step before");
    }
    out.push_back(std::move(step));
  }
  return out;
}

void read_window(const YamlValue& item, AlertConfig& config) {
  YamlMap map(item);
  MaintenanceWindow window;
  map.read("name", window.name);
  map.read("comment", window.comment);
  read_matcher_list(map, "matchers", window.matchers);
  if (const auto list = map.field("time_intervals")) window.intervals = read_time_intervals(*list);
  map.finish();
  if (window.name.empty()) item.problem("name is missing");
  if (std::ranges::find(config.maintenance, window.name, &MaintenanceWindow::name) !=
      config.maintenance.end()) {
    item.problem("two maintenance windows have this name", window.name, "rename one");
  }
  if (window.matchers.empty()) {
    item.problem("matchers are missing: a window without any would silence every alert");
  }
  if (window.intervals.empty()) {
    item.problem("time_intervals are missing: say when the window is open");
  }
  config.maintenance.push_back(std::move(window));
}

// Later entries win; what is below a route takes over.
void read_of_routes(const YamlValue& list, AlertConfig& config) {
  std::map<std::string, std::vector<Route*>, std::less<>> by_key;
  visit_routes(config.route, [&](Route& route) { by_key[route.key].push_back(&route); });
  for (const YamlValue& item : list.items()) {
    YamlMap map(item);
    std::string key;
    Route said;
    map.read("key", key);
    read_route_extension(map, config, said);
    map.finish();
    check_name(item, "route", key, by_key);
    const auto named = by_key.find(key);
    if (named == by_key.end()) continue;
    for (Route* top : named->second) {
      visit_routes(*top, [&](Route& route) { route.escalation = said.escalation; });
    }
  }
}

void read_of_receivers(const YamlValue& list, AlertConfig& config) {
  for (const YamlValue& item : list.items()) {
    YamlMap map(item);
    std::string name;
    map.read("name", name);
    check_name(item, "receiver", name, config.receivers);
    Receiver nowhere;
    const auto found = config.receivers.find(name);
    read_receiver_extension(map, found == config.receivers.end() ? nowhere : found->second);
    map.finish();
  }
}

void read_silence_reminder(const YamlValue& at, AlertConfig& config) {
  YamlMap map(at);
  SilenceReminder& reminder = config.silence_reminder;
  map.read("receiver", reminder.receiver);
  int64_t before_ms = -1;
  map.duration("before", before_ms);
  map.finish();
  check_name(at, "receiver", reminder.receiver, config.receivers);
  if (before_ms >= 0) reminder.before_ms = before_ms;
}

}  // namespace

void read_route_extension(YamlMap& map, const AlertConfig& config, Route& route) {
  const auto field = map.field("escalation");
  if (!field) return;
  if (auto name = field->text()) {
    check_name(*field, "escalation", *name, config.escalations);
    route.escalation = std::move(*name);
  }
}

void read_receiver_extension(YamlMap& map, Receiver& receiver) {
  if (const auto list = map.field("exec_configs")) read_programs(*list, receiver);
  read_rate(map, receiver);
}

void read_escalations(YamlMap& section, AlertConfig& config) {
  const auto list = section.field("escalations");
  if (!list) return;
  for (const YamlValue& item : list->items()) {
    YamlMap map(item);
    std::string name;
    map.read("name", name);
    std::vector<EscalationStep> steps = read_steps(map, config);
    map.finish();
    if (name.empty()) {
      item.problem("name is missing");
    } else if (!config.escalations.try_emplace(name, std::move(steps)).second) {
      item.problem("two escalations have this name", name, "rename one");
    }
  }
}

void read_rest_of_extensions(YamlMap& section, AlertConfig& config) {
  if (const auto list = section.field("maintenance")) {
    for (const YamlValue& item : list->items()) read_window(item, config);
  }
  if (const auto reminder = section.field("silence_reminder")) {
    read_silence_reminder(*reminder, config);
  }
  if (const auto list = section.field("routes")) read_of_routes(*list, config);
  if (const auto list = section.field("receivers")) read_of_receivers(*list, config);
  section.finish();
}

}  // namespace binnacle::watch::alerts
