#include "show/rules_api.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/float_text.h"
#include "base/json_text.h"
#include "query/promql/printer.h"
#include "show/api_params.h"
#include "show/api_routes.h"
#include "store/access/digest.h"
#include "watch/rules/rules_view.h"

namespace binnacle::show {
namespace {

using net::Request;
using watch::rules::ActiveAlert;
using watch::rules::GroupStatus;
using watch::rules::Rule;
using watch::rules::RuleHealth;
using watch::rules::RuleStatus;
using watch::rules::TextPairs;

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(R"("{}":)", name);
  append_json_string(out, text);
}

void append_number(std::string& out, std::string_view name, double value) {
  out += fmt::format(R"("{}":)", name);
  append_float_json(out, value);
}

void append_when(std::string& out, std::string_view name, int64_t ms) {
  append_text(out, name, ms == 0 ? "0001-01-01T00:00:00Z" : format_rfc3339(ms));
}

void append_pairs(std::string& out, std::string_view name, const TextPairs& pairs) {
  out += fmt::format(R"("{}":{{)", name);
  bool first = true;
  for (const auto& [key, value] : pairs) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
}

// Go's 'e' layout: 1e+00, 1.25e+02.
std::string scientific(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  return {text, end.ptr};
}

void append_alert(std::string& out, const ActiveAlert& alert) {
  out += R"({"labels":)";
  append_labels(out, alert.labels);
  out += R"(,"annotations":)";
  append_labels(out, alert.annotations);
  out += ',';
  append_text(out, "state", alert_state_name(alert.state));
  out += ',';
  append_when(out, "activeAt", alert.active_at_ms);
  if (alert.keep_firing_since_ms != 0) {
    out += ',';
    append_when(out, "keepFiringSince", alert.keep_firing_since_ms);
  }
  out += ',';
  append_text(out, "value", scientific(alert.value));
  out += '}';
}

void append_alerts(std::string& out, const std::vector<ActiveAlert>& alerts) {
  for (const ActiveAlert& alert : alerts) {
    if (out.back() != '[') out += ',';
    append_alert(out, alert);
  }
}

std::string_view health_name(RuleHealth health) {
  switch (health) {
    case RuleHealth::kUnknown:
      return "unknown";
    case RuleHealth::kGood:
      return "ok";
    case RuleHealth::kBad:
      return "err";
  }
  return "unknown";
}

void append_alerting(std::string& out, const Rule& rule, const RuleStatus& status,
                     bool exclude_alerts) {
  append_text(out, "state",
              status.evaluated_at_ms == 0 ? "unknown" : alert_state_name(status.state));
  out += ',';
  append_text(out, "name", rule.name);
  out += ',';
  append_text(out, "query", to_string(*rule.parsed));
  out += ',';
  append_number(out, "duration", static_cast<double>(rule.for_ms) / 1e3);
  out += ',';
  append_number(out, "keepFiringFor", static_cast<double>(rule.keep_firing_for_ms) / 1e3);
  out += ',';
  append_pairs(out, "labels", status.labels);
  out += ',';
  append_pairs(out, "annotations", rule.annotations);
  if (exclude_alerts) {
    out += R"(,"alerts":null)";
  } else {
    out += R"(,"alerts":[)";
    append_alerts(out, status.alerts);
    out += ']';
  }
}

void append_rule(std::string& out, const Rule& rule, const RuleStatus& status,
                 bool exclude_alerts) {
  out += '{';
  if (rule.alerting) {
    append_alerting(out, rule, status, exclude_alerts);
  } else {
    append_text(out, "name", rule.name);
    out += ',';
    append_text(out, "query", to_string(*rule.parsed));
    out += ',';
    append_pairs(out, "labels", status.labels);
  }
  out += ',';
  append_text(out, "health", health_name(status.health));
  if (!status.last_error.empty()) {
    out += ',';
    append_text(out, "lastError", status.last_error);
  }
  out += ',';
  append_number(out, "evaluationTime", status.seconds);
  out += ',';
  append_when(out, "lastEvaluation", status.evaluated_at_ms);
  out += ',';
  append_text(out, "type", rule.alerting ? "alerting" : "recording");
  out += '}';
}

// What of the rules is wanted.
struct Wanted {
  std::set<std::string, std::less<>> rules;  // empty: all, as the next two
  std::set<std::string, std::less<>> groups;
  std::set<std::string, std::less<>> files;
  std::vector<model::Matchers> matchers;
  bool alerting = true;
  bool recording = true;
  bool exclude_alerts = false;
  size_t max_groups = 0;  // 0: all
  std::string token;      // of the first group of the page
};

Status read_pages(const net::Params& params, Wanted& wanted) {
  const auto limit = params.get("group_limit");
  wanted.token = params.get("group_next_token");
  if (limit.empty()) {
    if (wanted.token.empty()) return {};
    return invalid_param("group_next_token",
                         "group_limit needs to be present in order to paginate over the groups");
  }
  auto number = number_param(params, "group_limit");
  if (!number || *number > std::numeric_limits<int32_t>::max())
    return invalid_param("group_limit", "group_limit needs to be a valid number");
  if (*number <= 0) return invalid_param("group_limit", "group_limit needs to be greater than 0");
  wanted.max_groups = static_cast<size_t>(*number);
  return {};
}

Result<bool> boolean_of(std::string_view text) {
  for (const std::string_view one : {"1", "t", "true"})
    if (text == one) return true;
  for (const std::string_view one : {"", "0", "f", "false"})
    if (text == one) return false;
  return fail(Code::kInvalidArgument,
              "strconv.ParseBool: parsing " + in_quotes(text) + ": invalid syntax");
}

Result<Wanted> wanted_of(const net::Params& params) {
  Wanted wanted;
  TRY_ASSIGN(wanted.matchers, match_params(params));
  const auto set = [&](std::string_view name) {
    const auto all = params.all(name);
    return std::set<std::string, std::less<>>(all.begin(), all.end());
  };
  wanted.rules = set("rule_name[]");
  wanted.groups = set("rule_group[]");
  wanted.files = set("file[]");
  const std::string type = lower_case(params.get("type"));
  if (!type.empty() && type != "alert" && type != "record")
    return invalid_param("type", "not supported value " + in_quotes(type));
  wanted.alerting = type != "record";
  wanted.recording = type != "alert";
  auto exclude = boolean_of(lower_case(params.get("exclude_alerts")));
  if (!exclude) {
    return invalid_param("exclude_alerts", std::move(exclude).error().with_context(
                                               "error converting exclude_alerts"));
  }
  wanted.exclude_alerts = *exclude;
  TRY(read_pages(params, wanted));
  return wanted;
}

bool fits(const std::set<std::string, std::less<>>& set, std::string_view name) {
  return set.empty() || set.contains(name);
}

bool fits(const Wanted& wanted, const Rule& rule, const RuleStatus& status) {
  if (!(rule.alerting ? wanted.alerting : wanted.recording)) return false;
  if (!fits(wanted.rules, rule.name)) return false;
  if (wanted.matchers.empty()) return true;
  model::LabelsBuilder builder;
  for (const auto& [name, value] : status.labels) builder.set(name, value);
  const model::Labels labels = builder.build();
  return std::ranges::any_of(wanted.matchers, [&](const model::Matchers& matchers) {
    return matches_all(matchers, labels);
  });
}

// "" where no rule of the group is wanted.
std::string group_json(const GroupStatus& group, const Wanted& wanted) {
  std::string rules;
  for (size_t i = 0; i < group.rules.size(); ++i) {
    const Rule& rule = group.group->rules[i];
    if (!fits(wanted, rule, group.rules[i])) continue;
    if (!rules.empty()) rules += ',';
    append_rule(rules, rule, group.rules[i], wanted.exclude_alerts);
  }
  if (rules.empty()) return rules;
  std::string out = "{";
  append_text(out, "name", group.group->name);
  out += ',';
  append_text(out, "file", group.group->file);
  out += R"(,"rules":[)" + rules + "],";
  append_number(out, "interval", static_cast<double>(group.interval_ms) / 1e3);
  out += fmt::format(R"(,"limit":{},)", group.group->limit);
  append_number(out, "evaluationTime", group.seconds);
  out += ',';
  append_when(out, "lastEvaluation", group.evaluated_at_ms);
  out += '}';
  return out;
}

std::string token_of(const GroupStatus& group) {
  return store::access::to_hex(store::access::sha256(group.group->file + ";" + group.group->name));
}

std::vector<GroupStatus> groups_of(const PrometheusApiDeps& deps) {
  return deps.rules == nullptr ? std::vector<GroupStatus>() : deps.rules->groups();
}

Result<ApiData> rules(const PrometheusApiDeps& deps, const Request& request) {
  TRY_ASSIGN(const Wanted wanted, wanted_of(request.params()));
  std::string out = R"({"groups":[)";
  std::string next;
  size_t shown = 0;
  bool found = wanted.token.empty();
  for (const GroupStatus& group : groups_of(deps)) {
    if (!found && token_of(group) != wanted.token) continue;
    found = true;
    if (!fits(wanted.groups, group.group->name) || !fits(wanted.files, group.group->file)) continue;
    const std::string json = group_json(group, wanted);
    if (json.empty()) continue;
    if (wanted.max_groups > 0 && shown == wanted.max_groups) {
      next = token_of(group);
      break;
    }
    if (shown++ > 0) out += ',';
    out += json;
  }
  if (!found) {
    return invalid_param(
        "group_next_token",
        fmt::format("invalid group_next_token '{}'. were rule groups changed?", wanted.token));
  }
  out += ']';
  if (!next.empty()) out += fmt::format(R"(,"groupNextToken":"{}")", next);
  return out + "}";
}

Result<ApiData> alerts(const PrometheusApiDeps& deps, const Request&) {
  std::string out = R"({"alerts":[)";
  for (const GroupStatus& group : groups_of(deps))
    for (const RuleStatus& rule : group.rules) append_alerts(out, rule.alerts);
  return out + "]}";
}

void append_urls(std::string& out, const std::vector<std::string>& urls) {
  out += '[';
  for (const std::string& url : urls) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_text(out, "url", url);
    out += '}';
  }
  out += ']';
}

Result<ApiData> alertmanagers(const PrometheusApiDeps& deps, const Request&) {
  watch::rules::AlertmanagerUrls urls;
  if (deps.alertmanagers) urls = deps.alertmanagers();
  std::string out = R"({"activeAlertmanagers":)";
  append_urls(out, urls.active);
  out += R"(,"droppedAlertmanagers":)";
  append_urls(out, urls.dropped);
  return out + "}";
}

}  // namespace

Status register_rules_api(net::Router& router,
                          const std::shared_ptr<const PrometheusApiDeps>& deps) {
  using Call = Result<ApiData> (*)(const PrometheusApiDeps&, const Request&);
  const std::pair<std::string_view, Call> calls[] = {
      {"/api/v1/rules", rules},
      {"/api/v1/alerts", alerts},
      {"/api/v1/alertmanagers", alertmanagers},
  };
  for (const auto& [pattern, call] : calls) {
    TRY(add_api_call(router, {std::string(pattern), {net::Method::kGet}},
                     [call, deps](const Request& request) { return call(*deps, request); }));
  }
  return {};
}

}  // namespace binnacle::show
