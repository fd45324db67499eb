// What an alertmanager.yml says, checked and with its defaults filled in: routes, receivers,
// inhibition, time intervals. Immutable once read; a reload makes a new one. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "watch/alerts/receiver_config.h"
#include "watch/alerts/time_interval.h"

namespace binnacle::watch::alerts {

struct Route {
  std::string id;   // "{}/{team="a"}/0": stable while the route's place and matchers are
  std::string key;  // "{}/{team="a"}": Alertmanager's, the first part of a group key
  std::string receiver;
  std::vector<std::string> group_by;
  bool group_by_all = false;  // '...'
  int64_t group_wait_ms = 30'000;
  int64_t group_interval_ms = 300'000;
  int64_t repeat_interval_ms = 4 * 3'600'000;
  model::Matchers matchers;
  bool continues = false;  // `continue`
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  // Values are templates; those of the routes above are among them.
  std::vector<std::pair<std::string, std::string>> labels;
  std::string escalation;  // the name of a policy (extension); inherited; empty: none
  std::vector<Route> routes;
};

struct InhibitRule {
  model::Matchers source;
  model::Matchers target;
  std::vector<std::string> equal;
};

// Extension: if a group is not acknowledged within `after_ms`, `receiver` is told too.
struct EscalationStep {
  int64_t after_ms = 0;
  std::string receiver;
};

// Extension: alerts that match are silenced while one of the intervals holds.
struct MaintenanceWindow {
  std::string name;
  model::Matchers matchers;
  std::vector<TimeInterval> intervals;
  std::string comment;
};

// Extension: who is told before a silence ends whose alerts still fire.
struct SilenceReminder {
  std::string receiver;              // empty: nobody
  std::optional<int64_t> before_ms;  // not said: alerts.silence_reminder
};

struct AlertConfig {
  std::string original;  // as read, secrets taken out
  int64_t resolve_timeout_ms = 300'000;
  Route route;
  std::map<std::string, Receiver, std::less<>> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::map<std::string, std::vector<TimeInterval>, std::less<>> time_intervals;
  std::vector<std::string> template_files;                                      // globs resolved
  std::map<std::string, std::vector<EscalationStep>, std::less<>> escalations;  // extension
  std::vector<MaintenanceWindow> maintenance;                                   // extension
  // What is read and changes nothing here, or is legal and hardly meant, each with its line.
  std::vector<std::string> warnings;
  SilenceReminder silence_reminder;  // extension
};

// All problems of a file at once, each with its line: unknown keys, receivers and intervals that
// are not there, matchers that do not parse, intervals of zero. Extensions of ours stand in a
// second YAML document, so that amtool takes the file too (docs/alerting-config.md). Relative paths
// are from `folder`; `name` is the file's in messages.
Result<std::shared_ptr<const AlertConfig>> read_alert_config(
    std::string_view yaml, const std::string& folder, FileSystem& files,
    const std::string& name = "alertmanager.yml");

// The leaves that take an alert, in order: at least one, since the root takes all.
std::vector<const Route*> routes_of(const Route& root, model::LabelsView alert);

// Labels that a route groups an alert by.
model::Labels group_labels(const Route& route, model::LabelsView alert);

}  // namespace binnacle::watch::alerts
