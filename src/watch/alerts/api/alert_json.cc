#include "watch/alerts/api/alert_json.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <tuple>

#include <fmt/format.h>

#include "base/clock.h"

namespace binnacle::watch::alerts {

using nlohmann::json;

namespace {

constexpr size_t kFingerprintDigits = 16;

std::string_view state_text(AlertState state) {
  switch (state) {
    case AlertState::kUnprocessed:
      return "unprocessed";
    case AlertState::kActive:
      return "active";
    case AlertState::kSuppressed:
      return "suppressed";
  }
  return "";
}

std::string_view state_text(SilenceState state) {
  switch (state) {
    case SilenceState::kPending:
      return "pending";
    case SilenceState::kActive:
      return "active";
    case SilenceState::kExpired:
      return "expired";
  }
  return "";
}

// Smaller comes first.
std::tuple<int, int64_t> order_of(const Silence& silence, int64_t now_ms) {
  switch (silence.state(now_ms)) {
    case SilenceState::kActive:
      return {0, silence.ends_at_ms};
    case SilenceState::kPending:
      return {1, silence.starts_at_ms};
    case SilenceState::kExpired:
      return {2, -silence.ends_at_ms};
  }
  return {};
}

}  // namespace

std::string api_time(int64_t unix_ms) {
  return unix_ms == 0 ? "0001-01-01T00:00:00.000Z" : format_rfc3339(unix_ms);
}

std::string fingerprint_text(uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

Result<uint64_t> read_fingerprint(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != kFingerprintDigits || error != std::errc() || end != text.data() + text.size())
    return fail(Code::kInvalidArgument,
                fmt::format("fingerprint ({}): write its 16 hexadecimal digits", text));
  return value;
}

json labels_json(model::LabelsView labels) {
  json out = json::object();
  for (const model::Label& label : labels) out[std::string(label.name)] = label.value;
  return out;
}

json matcher_json(const model::Matcher& matcher) {
  const model::MatchOp op = matcher.op();
  return {
      {"name", matcher.name()},
      {"value", matcher.value()},
      {"isRegex", op == model::MatchOp::kRegex || op == model::MatchOp::kNotRegex},
      {"isEqual", op == model::MatchOp::kEqual || op == model::MatchOp::kRegex},
  };
}

json alert_json(const AlertView& view) {
  json receivers = json::array();
  for (const std::string& name : view.receivers) receivers.push_back({{"name", name}});
  // One that a time interval mutes is suppressed for the caller, whatever else holds.
  const AlertState state = view.muted_by.empty() ? view.state : AlertState::kSuppressed;
  json out = {
      {"labels", labels_json(view.alert.labels)},
      {"annotations", labels_json(view.alert.annotations)},
      {"startsAt", api_time(view.alert.starts_at_ms)},
      {"endsAt", api_time(view.alert.ends_at_ms)},
      {"updatedAt", api_time(view.alert.updated_at_ms)},
      {"fingerprint", fingerprint_text(view.fingerprint)},
      {"receivers", std::move(receivers)},
      {"status",
       {{"state", state_text(state)},
        {"silencedBy", view.silenced_by},
        {"inhibitedBy", view.inhibited_by},
        {"mutedBy", view.muted_by}}},
  };
  if (!view.alert.generator_url.empty()) out["generatorURL"] = view.alert.generator_url;
  return out;
}

json group_json(const GroupView& group) {
  json alerts = json::array();
  for (const AlertView& view : group.alerts) alerts.push_back(alert_json(view));
  return {
      {"labels", labels_json(group.labels)},
      {"routeLabels", labels_json(group.route_labels)},
      {"receiver", {{"name", group.receiver}}},
      {"alerts", std::move(alerts)},
  };
}

json silence_json(const Silence& silence, int64_t now_ms) {
  json matchers = json::array();
  for (const model::Matcher& matcher : silence.matchers) matchers.push_back(matcher_json(matcher));
  json out = {
      {"id", silence.id},
      {"status", {{"state", state_text(silence.state(now_ms))}}},
      {"matchers", std::move(matchers)},
      {"startsAt", api_time(silence.starts_at_ms)},
      {"endsAt", api_time(silence.ends_at_ms)},
      {"updatedAt", api_time(silence.updated_at_ms)},
      {"createdBy", silence.created_by},
      {"comment", silence.comment},
  };
  if (!silence.annotations.empty()) {
    json annotations = json::object();
    for (const auto& [name, value] : silence.annotations) annotations[name] = value;
    out["annotations"] = std::move(annotations);
  }
  return out;
}

void sort_silences(std::vector<Silence>& silences, int64_t now_ms) {
  std::ranges::stable_sort(silences, [now_ms](const Silence& a, const Silence& b) {
    return order_of(a, now_ms) < order_of(b, now_ms);
  });
}

bool has_matchers(const Silence& silence, const model::Matchers& wanted) {
  return std::ranges::all_of(wanted, [&](const model::Matcher& want) {
    return std::ranges::any_of(silence.matchers, [&](const model::Matcher& has) {
      return has.op() == want.op() && has.name() == want.name() && has.value() == want.value();
    });
  });
}

}  // namespace binnacle::watch::alerts
