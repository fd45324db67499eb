#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "base/json_parse.h"
#include "base/time_text.h"
#include "watch/alerts/api/alert_json.h"

namespace binnacle::watch::alerts {

using nlohmann::json;

namespace {

std::string kind_of(const json& value) { return value.type_name(); }

Result<std::string> text_field(const json& object, std::string_view name, bool required = false) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    if (required)
      return fail(Code::kInvalidArgument, fmt::format("{}: is missing: give one", name));
    return std::string();
  }
  if (!found->is_string())
    return fail(Code::kInvalidArgument,
                fmt::format("{}: write a text ({} found)", name, kind_of(*found)));
  return found->get<std::string>();
}

// Clients written in Go send the zero time where nothing is meant.
Result<int64_t> time_field(const json& object, std::string_view name) {
  TRY_ASSIGN(const std::string text, text_field(object, name));
  if (text.empty() || text.starts_with("0001-01-01T00:00:00")) return 0;
  const auto time = parse_rfc3339_ms(text);
  if (!time)
    return fail(Code::kInvalidArgument,
                fmt::format("{} ({}): write it like 2026-01-02T03:04:05Z", name, text));
  return *time;
}

Result<bool> bool_field(const json& object, std::string_view name, bool if_absent) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return if_absent;
  if (!found->is_boolean())
    return fail(Code::kInvalidArgument, fmt::format("{}: write true or false", name));
  return found->get<bool>();
}

Result<model::Labels> labels_field(const json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return model::Labels();
  if (!found->is_object())
    return fail(Code::kInvalidArgument,
                fmt::format("{}: write an object of texts ({} found)", name, kind_of(*found)));
  model::LabelsBuilder labels;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string())
      return fail(Code::kInvalidArgument,
                  fmt::format("{}.{}: write a text ({} found)", name, key, kind_of(value)));
    if (key.empty())
      return fail(Code::kInvalidArgument, fmt::format("{}: a name must not be empty", name));
    labels.set(key, value.get_ref<const std::string&>());
  }
  return labels.build();
}

Result<model::Alert> read_alert(const json& value, int64_t now_ms) {
  if (!value.is_object())
    return fail(Code::kInvalidArgument,
                fmt::format("write an object with labels ({} found)", kind_of(value)));
  model::Alert alert;
  TRY_ASSIGN(alert.labels, labels_field(value, "labels"));
  TRY_ASSIGN(alert.annotations, labels_field(value, "annotations"));
  TRY_ASSIGN(alert.starts_at_ms, time_field(value, "startsAt"));
  TRY_ASSIGN(alert.ends_at_ms, time_field(value, "endsAt"));
  TRY_ASSIGN(alert.generator_url, text_field(value, "generatorURL"));
  alert.updated_at_ms = now_ms;
  if (alert.starts_at_ms == 0)
    alert.starts_at_ms = alert.ends_at_ms == 0 ? now_ms : alert.ends_at_ms;
  if (alert.labels.empty()) return fail(Code::kInvalidArgument, "at least one label pair required");
  if (alert.ends_at_ms != 0 && alert.ends_at_ms < alert.starts_at_ms)
    return fail(Code::kInvalidArgument, "start time must be before end time");
  return alert;
}

// For a message: which of the list, and its labels where they could be read.
std::string place_of(size_t index, const json& value) {
  const auto labels = value.is_object() ? labels_field(value, "labels") : Result<model::Labels>();
  if (!labels || labels->empty()) return fmt::format("alert {}", index);
  return fmt::format("alert {} {}", index, labels->to_string());
}

Result<model::Matcher> read_matcher(const json& value) {
  if (!value.is_object())
    return fail(Code::kInvalidArgument, "write an object with name, value, isRegex and isEqual");
  TRY_ASSIGN(std::string name, text_field(value, "name", true));
  TRY_ASSIGN(std::string text, text_field(value, "value", true));
  TRY_ASSIGN(const bool is_regex, bool_field(value, "isRegex", false));
  TRY_ASSIGN(const bool is_equal, bool_field(value, "isEqual", true));
  if (name.empty()) return fail(Code::kInvalidArgument, "name: must not be empty");
  using model::MatchOp;
  const MatchOp op = is_regex ? (is_equal ? MatchOp::kRegex : MatchOp::kNotRegex)
                              : (is_equal ? MatchOp::kEqual : MatchOp::kNotEqual);
  return model::Matcher::create(op, std::move(name), std::move(text));
}

Result<model::Matchers> matchers_field(const json& object) {
  const auto found = object.find("matchers");
  if (found == object.end() || !found->is_array() || found->empty())
    return fail(Code::kInvalidArgument, "matchers: give a list of at least one");
  model::Matchers matchers;
  for (size_t i = 0; i < found->size(); ++i) {
    auto matcher = read_matcher((*found)[i]);
    if (!matcher)
      return fail(std::move(matcher).error().with_context(fmt::format("matchers[{}]", i)));
    matchers.push_back(*std::move(matcher));
  }
  return matchers;
}

Status check_times(const Silence& silence, int64_t now_ms) {
  if (silence.starts_at_ms == 0 || silence.ends_at_ms == 0)
    return fail(Code::kInvalidArgument, "startsAt and endsAt: give both");
  if (silence.starts_at_ms >= silence.ends_at_ms)
    return fail(Code::kInvalidArgument,
                "Failed to create silence: start time must be before end time");
  if (silence.ends_at_ms < now_ms)
    return fail(Code::kInvalidArgument, "Failed to create silence: end time can't be in the past");
  return {};
}

}  // namespace

Result<PostedAlerts> read_alerts(std::string_view body, int64_t now_ms) {
  const json list = parse_json(body);
  if (list.is_discarded())
    return fail(Code::kInvalidArgument, "the body is not JSON: write a list of alerts");
  if (!list.is_array())
    return fail(Code::kInvalidArgument,
                fmt::format("the body is not a list of alerts ({} found)", kind_of(list)));
  PostedAlerts posted;
  for (size_t i = 0; i < list.size(); ++i) {
    auto alert = read_alert(list[i], now_ms);
    if (alert) {
      posted.alerts.push_back(*std::move(alert));
    } else {
      posted.problems.push_back(fmt::format("{}: {}", place_of(i, list[i]), alert.error().message));
    }
  }
  return posted;
}

Result<Silence> read_silence(std::string_view body, int64_t now_ms) {
  const json value = parse_json(body);
  if (!value.is_object())
    return fail(Code::kInvalidArgument, "the body is not a silence: write a JSON object");
  Silence silence;
  TRY_ASSIGN(silence.id, text_field(value, "id"));
  TRY_ASSIGN(silence.matchers, matchers_field(value));
  TRY_ASSIGN(silence.starts_at_ms, time_field(value, "startsAt"));
  TRY_ASSIGN(silence.ends_at_ms, time_field(value, "endsAt"));
  TRY_ASSIGN(silence.created_by, text_field(value, "createdBy", true));
  TRY_ASSIGN(silence.comment, text_field(value, "comment", true));
  TRY_ASSIGN(const model::Labels annotations, labels_field(value, "annotations"));
  for (const model::Label& label : annotations)
    silence.annotations.emplace_back(label.name, label.value);
  silence.updated_at_ms = now_ms;
  TRY(check_times(silence, now_ms));
  return silence;
}

}  // namespace binnacle::watch::alerts
