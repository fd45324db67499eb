#include "app/alert_print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "app/text_table.h"
#include "base/config_units.h"
#include "base/time_text.h"
#include "model/labels.h"

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr size_t kShortFingerprint = 8;
constexpr int64_t kMinuteMs = 60'000, kHourMs = 60 * kMinuteMs, kDayMs = 24 * kHourMs;

std::string text_of(const json& object, std::string_view name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json at(const json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found == object.end() ? json() : *found;
}

// Two units at most: nobody needs the seconds of a day.
std::string length_text(int64_t ms) {
  ms = std::max<int64_t>(ms, 0);
  const int64_t unit = ms >= kDayMs ? kHourMs : ms >= kHourMs ? kMinuteMs : 1000;
  return format_duration_ms(ms / unit * unit);
}

std::string since_text(const std::string& time, int64_t now_ms) {
  const auto ms = parse_rfc3339_ms(time);
  return ms ? length_text(now_ms - *ms) : "";
}

// "2026-01-02 03:04:05"
std::string clock_text(const std::string& time) {
  std::string out = time.substr(0, 19);
  std::ranges::replace(out, 'T', ' ');
  return out;
}

std::string joined(const json& names) {
  std::vector<std::string> out;
  for (const json& name : names)
    out.push_back(name.is_object() ? text_of(name, "name") : name.get<std::string>());
  return fmt::format("{}", fmt::join(out, ", "));
}

std::string state_of(const json& alert) {
  if (!at(alert, "acknowledgement").is_null()) return "acknowledged";
  const json status = at(alert, "status");
  if (!at(status, "silencedBy").empty()) return "silenced";
  if (!at(status, "inhibitedBy").empty()) return "inhibited";
  if (!at(status, "mutedBy").empty()) return "muted";
  return text_of(status, "state") == "unprocessed" ? "new" : "firing";
}

int rank_of_state(std::string_view state) {
  constexpr std::array<std::string_view, 6> kOrder{"firing",   "new",       "acknowledged",
                                                   "silenced", "inhibited", "muted"};
  return static_cast<int>(std::ranges::find(kOrder, state) - kOrder.begin());
}

int rank_of_severity(std::string_view severity) {
  constexpr std::array<std::string_view, 6> kOrder{"page", "critical", "error",
                                                   "high", "warning",  "info"};
  return static_cast<int>(std::ranges::find(kOrder, severity) - kOrder.begin());
}

std::string severity_of(const json& alert) { return text_of(at(alert, "labels"), "severity"); }

// What says most in one line.
std::string story_of(const json& alert) {
  const json annotations = at(alert, "annotations");
  for (const char* name : {"summary", "message", "description"}) {
    if (std::string text = text_of(annotations, name); !text.empty()) return text;
  }
  json labels = at(alert, "labels");
  labels.erase("alertname");
  labels.erase("severity");
  return labels_text(labels);
}

std::vector<json> sorted_alerts(const json& alerts) {
  auto sorted = alerts.get<std::vector<json>>();
  const auto order = [](const json& alert) {
    return std::tuple(rank_of_state(state_of(alert)), rank_of_severity(severity_of(alert)),
                      text_of(at(alert, "labels"), "alertname"), text_of(alert, "startsAt"));
  };
  std::ranges::stable_sort(sorted,
                           [&](const json& a, const json& b) { return order(a) < order(b); });
  return sorted;
}

std::string headline(const std::vector<json>& alerts) {
  std::array<size_t, 6> counts{};
  for (const json& alert : alerts) ++counts.at(static_cast<size_t>(rank_of_state(state_of(alert))));
  constexpr std::array<std::string_view, 6> kNames{"firing",   "new",       "acknowledged",
                                                   "silenced", "inhibited", "muted"};
  std::vector<std::string> parts;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) parts.push_back(fmt::format("{} {}", counts[i], kNames[i]));
  }
  return fmt::format("{}\n\n", fmt::join(parts, ", "));
}

std::string matcher_text(const json& matcher) {
  const bool regex = matcher.value("isRegex", false), equal = matcher.value("isEqual", true);
  const char* op = regex ? (equal ? "=~" : "!~") : (equal ? "=" : "!=");
  return text_of(matcher, "name") + op + at(matcher, "value").dump();
}

std::string matchers_text(const json& matchers) {
  std::vector<std::string> out;
  for (const json& matcher : matchers) out.push_back(matcher_text(matcher));
  return fmt::format("{}", fmt::join(out, " "));
}

void add_line(std::string& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out += fmt::format("{:<14}{}\n", name, text);
}

std::string acknowledgement_text(const json& acknowledgement) {
  if (!acknowledgement.is_object()) return "";
  std::string out = fmt::format("by {} at {}", text_of(acknowledgement, "by"),
                                clock_text(text_of(acknowledgement, "at")));
  if (const std::string until = text_of(acknowledgement, "expiresAt"); !until.empty())
    out += ", until " + clock_text(until);
  if (const std::string note = text_of(acknowledgement, "note"); !note.empty()) out += ": " + note;
  return out;
}

}  // namespace

std::string labels_text(const json& labels) {
  model::LabelsBuilder builder;
  for (const auto& [name, value] : labels.items()) {
    if (value.is_string()) builder.set(name, value.get<std::string>());
  }
  return builder.build().to_string();
}

std::string print_alerts(const json& alerts, int64_t now_ms) {
  if (alerts.empty()) return "no alerts\n";
  const std::vector<json> sorted = sorted_alerts(alerts);
  TextTable table({"ID", "STATE", "SEVERITY", "ALERT", "SINCE", "WHAT"});
  for (const json& alert : sorted) {
    table.add({text_of(alert, "fingerprint").substr(0, kShortFingerprint),
               state_of(alert) + (alert.value("flapping", false) ? ", flapping" : ""),
               severity_of(alert), text_of(at(alert, "labels"), "alertname"),
               since_text(text_of(alert, "startsAt"), now_ms), story_of(alert)});
  }
  return headline(sorted) + table.text();
}

std::string print_alert(const json& alert, const json& history, int64_t now_ms) {
  std::string out;
  add_line(out, "alert", text_of(at(alert, "labels"), "alertname"));
  add_line(out, "id", text_of(alert, "fingerprint"));
  add_line(out, "state", state_of(alert) + (alert.value("flapping", false) ? ", flapping" : ""));
  const std::string since = text_of(alert, "startsAt");
  add_line(out, "since", fmt::format("{} ({} ago)", clock_text(since), since_text(since, now_ms)));
  add_line(out, "acknowledged", acknowledgement_text(at(alert, "acknowledgement")));
  const json status = at(alert, "status");
  add_line(out, "silenced by", joined(at(status, "silencedBy")));
  add_line(out, "inhibited by", joined(at(status, "inhibitedBy")));
  add_line(out, "muted by", joined(at(status, "mutedBy")));
  add_line(out, "receivers", joined(at(alert, "receivers")));
  add_line(out, "source", text_of(alert, "generatorURL"));
  for (const char* group : {"labels", "annotations"}) {
    if (at(alert, group).empty()) continue;
    out += fmt::format("\n{}\n", group);
    TextTable table({"", ""});
    for (const auto& [name, value] : alert[group].items())
      table.add({"  " + name, value.get<std::string>()});
    out += table.text().substr(1);
  }
  if (!history.empty()) out += "\nhistory, newest first\n" + print_alert_history(history);
  return out;
}

std::string print_silences(const json& silences, int64_t now_ms) {
  if (silences.empty()) return "no silences\n";
  TextTable table({"ID", "STATE", "ENDS", "LEFT", "BY", "MATCHERS", "COMMENT"});
  for (const json& silence : silences) {
    const std::string ends = text_of(silence, "endsAt");
    const auto ends_ms = parse_rfc3339_ms(ends);
    const bool over = !ends_ms || *ends_ms <= now_ms;
    table.add({text_of(silence, "id"), text_of(at(silence, "status"), "state"), clock_text(ends),
               over ? "" : length_text(*ends_ms - now_ms), text_of(silence, "createdBy"),
               matchers_text(at(silence, "matchers")), text_of(silence, "comment")});
  }
  return table.text();
}

std::string print_alert_history(const json& entries) {
  if (entries.empty()) return "nothing happened\n";
  TextTable table({"TIME", "WHAT", "ALERT", "RECEIVER", "TEXT"});
  for (const json& entry : entries) {
    const std::string labels = labels_text(at(entry, "labels"));
    table.add({clock_text(text_of(entry, "time")), text_of(entry, "kind"),
               labels == "{}" ? text_of(entry, "groupKey") : labels, text_of(entry, "receiver"),
               text_of(entry, "text")});
  }
  return table.text();
}

std::string print_receivers(const json& receivers) {
  TextTable table({"RECEIVER", "INTEGRATIONS"});
  for (const json& receiver : receivers) {
    std::vector<std::string> kinds;
    for (const json& integration : at(receiver, "integrations"))
      kinds.push_back(
          fmt::format("{}[{}]", text_of(integration, "kind"), integration.value("index", 0)));
    table.add({text_of(receiver, "name"), kinds.empty()
                                              ? "none: nothing is sent"
                                              : fmt::format("{}", fmt::join(kinds, ", "))});
  }
  return table.empty() ? "no receivers\n" : table.text();
}

std::string print_receiver_test(const json& results) {
  std::string out;
  for (const json& result : results) {
    const bool sent = result.value("sent", false);
    out += fmt::format("{}  {}\n", text_of(result, "integration"),
                       sent ? "sent" : "failed: " + text_of(result, "error"));
  }
  return out.empty() ? "the receiver has no integrations: nothing is sent\n" : out;
}

}  // namespace binnacle::app
