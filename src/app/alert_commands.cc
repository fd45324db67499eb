#include "app/alert_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/alert_print.h"
#include "app/server_caller.h"
#include "base/config_units.h"
#include "base/time_text.h"
#include "watch/alerts/api/alert_json.h"
#include "watch/alerts/matcher_text.h"

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr std::string_view kOwn = "/api/binnacle/v1/alerts";
constexpr std::string_view kSilences = "/api/v2/silences";
constexpr std::string_view kSilence = "/api/v2/silence/";
constexpr size_t kMaxImport = size_t{64} << 20;
constexpr size_t kShortestId = 4;  // of a fingerprint that is cut short

// "?a=1&b=2"
class Query {
 public:
  Query& add(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}{}={}", text_.empty() ? '?' : '&', name, net::percent_encode(value));
    return *this;
  }
  Query& add_all(std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(name, value);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

class AlertRun {
 public:
  AlertRun(const AlertCommand& command, FileSystem& files, const Clock& clock, std::istream& in,
           std::ostream& out)
      : command_(command),
        files_(files),
        clock_(clock),
        in_(in),
        out_(out),
        server_(files, command.server, command.key) {}

  Status run() {
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

 private:
  template <typename Print>
  void put(const json& data, Print print) {
    out_ << (command_.json ? data.dump(2) + "\n" : print(data)) << std::flush;
  }

  Result<json> member(std::string_view target, const char* name) {
    TRY_ASSIGN(json answer, server_.get(target));
    if (!answer.is_object() || !answer.contains(name) || !answer[name].is_array())
      return fail(Code::kUnavailable,
                  fmt::format("{}: the answer is not that of a Binnacle server", command_.server));
    return std::move(answer[name]);
  }

  Result<json> alerts(const Query& query) {
    return member(std::string(kOwn) + query.text(), "alerts");
  }

  Status list() {
    Query query;
    query.add_all("filter", command_.what);
    if (!command_.receiver.empty()) query.add("receiver", command_.receiver);
    if (command_.firing_only)
      query.add("silenced", "false").add("inhibited", "false").add("muted", "false");
    TRY_ASSIGN(const json found, alerts(query));
    put(found, [this](const json& data) { return print_alerts(data, clock_.wall_ms()); });
    return {};
  }

  // Alerts named by a beginning of their id, or by matchers that all hold.
  Result<json> targets() {
    if (command_.what.size() == 1 && is_hex(command_.what.front()) &&
        command_.what.front().size() >= kShortestId)
      return by_id(command_.what.front());
    if (std::ranges::all_of(command_.what, is_hex)) {
      json found = json::array();
      for (const std::string& id : command_.what) {
        TRY_ASSIGN(const json one, by_id(id));
        found.push_back(one.front());
      }
      return found;
    }
    TRY_ASSIGN(json found, alerts(Query().add_all("filter", command_.what)));
    if (found.empty()) return fail(Code::kNotFound, "no alert fits the matchers");
    return found;
  }

  Result<json> by_id(const std::string& id) {
    if (id.size() < kShortestId)
      return fail(Code::kInvalidArgument,
                  fmt::format("{}: give at least {} digits of the alert's id", id, kShortestId));
    TRY_ASSIGN(const json all, alerts(Query()));
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

  Status show() {
    TRY_ASSIGN(const json found, targets());
    json shown = json::array();
    for (const json& alert : found) {
      Query query;
      for (const auto& [name, value] : alert["labels"].items())
        query.add("filter", json(name).dump() + "=" + value.dump());
      TRY_ASSIGN(
          const json past,
          member(std::string(kOwn) + "/history" + query.add("limit", "20").text(), "entries"));
      if (!command_.json)
        out_ << (shown.empty() ? "" : "\n") << print_alert(alert, past, clock_.wall_ms());
      shown.push_back({{"alert", alert}, {"history", past}});
    }
    if (command_.json) out_ << shown.dump(2) << '\n';
    return {};
  }

  Status acknowledge() {
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
    put(done, [&](const json& data) { return print_alerts(data, clock_.wall_ms()); });
    return {};
  }

  Result<json> silence_matchers() {
    json matchers = json::array();
    const bool of_alert = command_.what.size() == 1 && is_hex(command_.what.front());
    if (of_alert) {
      TRY_ASSIGN(const json found, by_id(command_.what.front()));
      for (const auto& [name, value] : found.front()["labels"].items())
        matchers.push_back({{"name", name}, {"value", value}, {"isRegex", false}});
      return matchers;
    }
    for (const std::string& text : command_.what) {
      TRY_ASSIGN(const model::Matchers read, watch::alerts::parse_matchers(text));
      for (const model::Matcher& matcher : read)
        matchers.push_back(watch::alerts::matcher_json(matcher));
    }
    return matchers;
  }

  Status add_silence() {
    const int64_t now_ms = clock_.wall_ms();
    int64_t start_ms = now_ms;
    if (!command_.start.empty()) {
      TRY_ASSIGN(start_ms, parse_time_ms(command_.start));
    }
    int64_t end_ms = 0;
    if (command_.end.empty()) {
      TRY_ASSIGN(const int64_t length_ms, parse_duration_ms(command_.length));
      end_ms = start_ms + length_ms;
    } else {
      TRY_ASSIGN(end_ms, parse_time_ms(command_.end));
    }
    TRY_ASSIGN(json matchers, silence_matchers());
    const json body = {{"matchers", std::move(matchers)},
                       {"startsAt", format_rfc3339(start_ms)},
                       {"endsAt", format_rfc3339(end_ms)},
                       {"createdBy", command_.by},
                       {"comment", command_.text}};
    TRY_ASSIGN(const json made, server_.call(net::Method::kPost, kSilences, body));
    put(made, [](const json& data) { return data.value("silenceID", "") + "\n"; });
    return {};
  }

  Result<json> silences() {
    Query query;
    query.add_all("filter", command_.what);
    if (!command_.all) query.add("expired", "false");
    return server_.get(std::string(kSilences) + query.text());
  }

  Status list_silences() {
    TRY_ASSIGN(const json found, silences());
    put(found, [this](const json& data) { return print_silences(data, clock_.wall_ms()); });
    return {};
  }

  Status expire_silences() {
    for (const std::string& id : command_.what)
      TRY(server_.call(net::Method::kDelete, std::string(kSilence) + net::percent_encode(id),
                       json()));
    if (!command_.json) out_ << fmt::format("{} expired\n", command_.what.size());
    return {};
  }

  Status export_silences() {
    TRY_ASSIGN(const json found, silences());
    const std::string text = found.dump(2) + "\n";
    if (!command_.file.empty() && command_.file != "-")
      return files_.write_file_atomically(command_.file, text);
    out_ << text;
    return {};
  }

  Result<json> read_import() {
    std::string text;
    if (command_.file.empty() || command_.file == "-") {
      text.assign(std::istreambuf_iterator<char>(in_), {});
    } else {
      TRY_ASSIGN(text, files_.read_file(command_.file, kMaxImport));
    }
    json list = json::parse(text, nullptr, false);
    if (!list.is_array())
      return fail(Code::kInvalidArgument,
                  "not a JSON list of silences; `binnacle alert silence export` writes one");
    return list;
  }

  // One that the server does not know is made anew, under an id of its own.
  Status import_one(json silence) {
    const auto made = server_.call(net::Method::kPost, kSilences, silence);
    if (made) return {};
    if (made.error().code != Code::kNotFound) return fail(made.error());
    silence.erase("id");
    TRY(server_.call(net::Method::kPost, kSilences, silence));
    return {};
  }

  Status import_silences() {
    TRY_ASSIGN(const json list, read_import());
    size_t done = 0;
    std::string problems;
    for (size_t i = 0; i < list.size(); ++i) {
      const Status one = import_one(list[i]);
      if (one) {
        ++done;
      } else {
        problems += fmt::format("\n  silence {}: {}", i, one.error().message);
      }
    }
    if (!command_.json) out_ << fmt::format("{} of {} imported\n", done, list.size());
    if (problems.empty()) return {};
    return fail(Code::kInvalidArgument, "not all silences were taken:" + problems);
  }

  Status history() {
    Query query;
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
    TRY_ASSIGN(const json entries,
               member(std::string(kOwn) + "/history" + query.text(), "entries"));
    put(entries, [](const json& data) { return print_alert_history(data); });
    return {};
  }

  Status receivers() {
    TRY_ASSIGN(const json found, member(std::string(kOwn) + "/receivers", "receivers"));
    put(found, [](const json& data) { return print_receivers(data); });
    return {};
  }

  Status test_receiver() {
    const std::string target =
        fmt::format("{}/receivers/{}/test", kOwn, net::percent_encode(command_.what.front()));
    TRY_ASSIGN(const json answer, server_.call(net::Method::kPost, target, json::object()));
    const json results = answer.value("results", json::array());
    put(results, [](const json& data) { return print_receiver_test(data); });
    for (const json& result : results) {
      if (!result.value("sent", false))
        return fail(Code::kFailedPrecondition, "not every integration took the test notification");
    }
    return {};
  }

  const AlertCommand& command_;
  FileSystem& files_;
  const Clock& clock_;
  std::istream& in_;
  std::ostream& out_;
  ServerCaller server_;
};

}  // namespace

int run_alert_command(const AlertCommand& command, FileSystem& files, const Clock& clock,
                      std::istream& in, std::ostream& out, std::ostream& err) {
  const Status done = AlertRun(command, files, clock, in, out).run();
  if (done) return 0;
  err << "binnacle alert: " << done.error().message << '\n';
  const Code code = done.error().code;
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded ? 2 : 1;
}

}  // namespace binnacle::app
