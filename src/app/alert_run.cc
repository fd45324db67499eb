#include "app/alert_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/alert_print.h"
#include "base/config_units.h"

namespace binnacle::app {

using nlohmann::json;

namespace {

constexpr std::string_view kOwn = "/api/binnacle/v1/alerts";
constexpr size_t kShortestId = 4;  // of a fingerprint that is cut short

}  // namespace

QueryText& QueryText::add(std::string_view name, std::string_view value) {
  text_ += fmt::format("{}{}={}", text_.empty() ? '?' : '&', name, net::percent_encode(value));
  return *this;
}

QueryText& QueryText::add_all(std::string_view name, const std::vector<std::string>& values) {
  for (const std::string& value : values) add(name, value);
  return *this;
}

bool is_alert_id(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void AlertRun::put(const json& data, const std::string& text) {
  out_ << (command_.json ? data.dump(2) + "\n" : text) << std::flush;
}

Status AlertRun::run() {
  switch (command_.action) {
    case AlertAction::kList:
      return list();
    case AlertAction::kShow:
      return show();
    case AlertAction::kSilenceAdd:
      return add_silence();
    case AlertAction::kSilenceList:
      return list_silences();
    case AlertAction::kSilenceExpire:
      return expire_silences();
    case AlertAction::kSilenceImport:
      return import_silences();
    case AlertAction::kSilenceExport:
      return export_silences();
    case AlertAction::kAck:
    case AlertAction::kUnack:
      return acknowledge();
    case AlertAction::kHistory:
      return history();
    case AlertAction::kReceivers:
      return receivers();
    case AlertAction::kTestReceiver:
      return test_receiver();
  }
  return {};
}

Result<json> AlertRun::member(std::string_view target, const char* name) {
  TRY_ASSIGN(json answer, server_.get(target));
  if (!answer.is_object() || !answer.contains(name) || !answer[name].is_array())
    return fail(Code::kUnavailable,
                fmt::format("{}: the answer is not that of a Binnacle server", command_.server));
  return std::move(answer[name]);
}

Result<json> AlertRun::alerts(const QueryText& query) {
  return member(std::string(kOwn) + query.text(), "alerts");
}

Status AlertRun::list() {
  QueryText query;
  query.add_all("filter", command_.what);
  if (!command_.receiver.empty()) query.add("receiver", command_.receiver);
  if (command_.firing_only)
    query.add("silenced", "false").add("inhibited", "false").add("muted", "false");
  TRY_ASSIGN(const json found, alerts(query));
  put(found, print_alerts(found, clock_.wall_ms()));
  return {};
}

Result<json> AlertRun::targets() {
  if (command_.what.size() == 1 && is_alert_id(command_.what.front()) &&
      command_.what.front().size() >= kShortestId)
    return by_id(command_.what.front());
  if (std::ranges::all_of(command_.what, is_alert_id)) {
    json found = json::array();
    for (const std::string& id : command_.what) {
      TRY_ASSIGN(const json one, by_id(id));
      found.push_back(one.front());
    }
    return found;
  }
  TRY_ASSIGN(json found, alerts(QueryText().add_all("filter", command_.what)));
  if (found.empty()) return fail(Code::kNotFound, "no alert fits the matchers");
  return found;
}

Result<json> AlertRun::by_id(const std::string& id) {
  if (id.size() < kShortestId)
    return fail(Code::kInvalidArgument,
                fmt::format("{}: give at least {} digits of the alert's id", id, kShortestId));
  TRY_ASSIGN(const json all, alerts(QueryText()));
  json found = json::array();
  for (const json& alert : all) {
    if (alert.value("fingerprint", "").starts_with(id)) found.push_back(alert);
  }
  if (found.empty())
    return fail(Code::kNotFound, fmt::format("alert {}: none is active under it", id));
  if (found.size() > 1)
    return fail(
        Code::kInvalidArgument,
        fmt::format("alert {}: {} alerts begin with it; give more digits", id, found.size()));
  return found;
}

Status AlertRun::show() {
  TRY_ASSIGN(const json found, targets());
  json shown = json::array();
  for (const json& alert : found) {
    QueryText query;
    for (const auto& [name, value] : alert["labels"].items())
      query.add("filter", json(name).dump() + "=" + value.dump());
    TRY_ASSIGN(const json past,
               member(std::string(kOwn) + "/history" + query.add("limit", "20").text(), "entries"));
    if (!command_.json)
      out_ << (shown.empty() ? "" : "\n") << print_alert(alert, past, clock_.wall_ms());
    shown.push_back({{"alert", alert}, {"history", past}});
  }
  if (command_.json) out_ << shown.dump(2) << '\n';
  return {};
}

Status AlertRun::acknowledge() {
  TRY_ASSIGN(const json found, targets());
  const bool ack = command_.action == AlertAction::kAck;
  json body = json::object();
  if (!command_.by.empty()) body["by"] = command_.by;
  if (!command_.text.empty()) body["note"] = command_.text;
  if (!command_.length.empty()) body["for"] = command_.length;
  json done = json::array();
  for (const json& alert : found) {
    const std::string target =
        fmt::format("{}/{}/acknowledgement", kOwn, alert.value("fingerprint", ""));
    TRY_ASSIGN(json answer, server_.call(ack ? net::Method::kPost : net::Method::kDelete, target,
                                         ack ? body : json()));
    done.push_back(std::move(answer));
  }
  put(done, print_alerts(done, clock_.wall_ms()));
  return {};
}

Status AlertRun::history() {
  QueryText query;
  query.add_all("filter", command_.what);
  if (!command_.kind.empty()) query.add("kind", command_.kind);
  if (!command_.receiver.empty()) query.add("receiver", command_.receiver);
  if (!command_.end.empty()) query.add("to", command_.end);
  if (!command_.start.empty()) query.add("from", command_.start);
  if (!command_.length.empty()) {
    TRY_ASSIGN(const int64_t length_ms, parse_duration_ms(command_.length));
    query.add("from", format_rfc3339(clock_.wall_ms() - length_ms));
  }
  query.add("limit", std::to_string(command_.limit));
  TRY_ASSIGN(const json entries, member(std::string(kOwn) + "/history" + query.text(), "entries"));
  put(entries, print_alert_history(entries));
  return {};
}

Status AlertRun::receivers() {
  TRY_ASSIGN(const json found, member(std::string(kOwn) + "/receivers", "receivers"));
  put(found, print_receivers(found));
  return {};
}

Status AlertRun::test_receiver() {
  const std::string target =
      fmt::format("{}/receivers/{}/test", kOwn, net::percent_encode(command_.what.front()));
  TRY_ASSIGN(const json answer, server_.call(net::Method::kPost, target, json::object()));
  const json results = answer.value("results", json::array());
  put(results, print_receiver_test(results));
  for (const json& result : results) {
    if (!result.value("sent", false))
      return fail(Code::kFailedPrecondition, "not every integration took the test notification");
  }
  return {};
}

}  // namespace binnacle::app
