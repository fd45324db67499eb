#include <fmt/format.h>

#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/alert_print.h"
#include "app/alert_run.h"
#include "base/config_units.h"
#include "base/json_parse.h"
#include "base/time_text.h"
#include "watch/alerts/api/alert_json.h"
#include "watch/alerts/matcher_text.h"

namespace binnacle::app {

using nlohmann::json;

namespace {

constexpr std::string_view kSilences = "/api/v2/silences";
constexpr std::string_view kSilence = "/api/v2/silence/";
constexpr size_t kMaxImport = size_t{64} << 20;

}  // namespace

Result<json> AlertRun::silence_matchers() {
  json matchers = json::array();
  const bool of_alert = command_.what.size() == 1 && is_alert_id(command_.what.front());
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

Status AlertRun::add_silence() {
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
  put(made, made.value("silenceID", "") + "\n");
  return {};
}

Result<json> AlertRun::silences() {
  QueryText query;
  query.add_all("filter", command_.what);
  if (!command_.all) query.add("expired", "false");
  return server_.get(std::string(kSilences) + query.text());
}

Status AlertRun::list_silences() {
  TRY_ASSIGN(const json found, silences());
  put(found, print_silences(found, clock_.wall_ms()));
  return {};
}

Status AlertRun::expire_silences() {
  for (const std::string& id : command_.what)
    TRY(server_.call(net::Method::kDelete, std::string(kSilence) + net::percent_encode(id),
                     json()));
  if (!command_.json) out_ << fmt::format("{} expired\n", command_.what.size());
  return {};
}

Status AlertRun::export_silences() {
  TRY_ASSIGN(const json found, silences());
  const std::string text = found.dump(2) + "\n";
  if (!command_.file.empty() && command_.file != "-")
    return files_.write_file_atomically(command_.file, text);
  out_ << text;
  return {};
}

Result<json> AlertRun::read_import() {
  std::string text;
  if (command_.file.empty() || command_.file == "-") {
    text.assign(std::istreambuf_iterator<char>(in_), {});
  } else {
    TRY_ASSIGN(text, files_.read_file(command_.file, kMaxImport));
  }
  json list = parse_json(text);
  if (!list.is_array())
    return fail(Code::kInvalidArgument,
                "not a JSON list of silences; `binnacle alert silence export` writes one");
  return list;
}

Status AlertRun::import_one(json silence) {
  const auto made = server_.call(net::Method::kPost, kSilences, silence);
  if (made) return {};
  if (made.error().code != Code::kNotFound) return fail(made.error());
  silence.erase("id");
  TRY(server_.call(net::Method::kPost, kSilences, silence));
  return {};
}

Status AlertRun::import_silences() {
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

}  // namespace binnacle::app
