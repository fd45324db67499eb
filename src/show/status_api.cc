#include "show/status_api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/config_units.h"
#include "base/json_text.h"
#include "query/promql/function_table.h"
#include "show/api_routes.h"

namespace binnacle::show {
namespace {

using net::Request;
using nlohmann::json;

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// As the `global` part of a prometheus.yml, for those who look up external labels or intervals in
// it. Our own settings, which may hold more than a viewer should see, are at
// /api/binnacle/v1/config.
Result<ApiData> config(const PrometheusApiDeps& deps) {
  const std::string interval = format_duration_ms(deps.facts().collect_interval_ms);
  std::string yaml =
      fmt::format("global:\n  scrape_interval: {0}\n  scrape_timeout: {0}\n", interval);
  const auto labels = deps.external_labels();
  if (!labels.empty()) yaml += "  external_labels:\n";
  for (const auto& [name, value] : labels) {
    yaml += "    ";
    append_json_string(yaml, name);
    yaml += ": ";
    append_json_string(yaml, value);
    yaml.push_back('\n');
  }
  return text_of({{"yaml", yaml}});
}

Result<ApiData> flags(const PrometheusApiDeps& deps) { return text_of(deps.facts().flags); }

// What only a program in Go could tell is 0 or empty.
Result<ApiData> runtime_info(const PrometheusApiDeps& deps) {
  const ServerFacts facts = deps.facts();
  return text_of({{"startTime", format_rfc3339(facts.started_ms)},
                  {"CWD", facts.folder},
                  {"hostname", facts.host_name},
                  {"serverTime", format_rfc3339(deps.clock.wall_ms())},
                  {"reloadConfigSuccess", facts.config_good},
                  {"lastConfigTime", format_rfc3339(facts.config_loaded_ms)},
                  {"corruptionCount", 0},
                  {"goroutineCount", facts.threads},
                  {"GOMAXPROCS", facts.threads},
                  {"GOMEMLIMIT", 0},
                  {"GOGC", ""},
                  {"GODEBUG", ""},
                  {"storageRetention", facts.retention}});
}

// Grafana takes a server whose `features` are empty for a plain Prometheus.
Result<ApiData> build_info(const PrometheusApiDeps& deps) {
  return text_of({{"version", deps.version},
                  {"revision", deps.revision},
                  {"branch", ""},
                  {"buildUser", ""},
                  {"buildDate", ""},
                  {"goVersion", ""}});
}

// Prometheus counts segments of its log; these are bytes.
Result<ApiData> wal_replay(const PrometheusApiDeps& deps) {
  const ServerFacts facts = deps.facts();
  return text_of({{"min", 0}, {"max", facts.replay_bytes}, {"current", facts.replayed_bytes}});
}

Result<ApiData> features(const PrometheusApiDeps& deps) {
  const bool experimental = deps.limits().experimental;
  json functions = json::object();
  for (const auto& function : query::promql::all_functions())
    functions[std::string(function.name)] = !function.experimental || experimental;
  return text_of({{"api",
                   {{"admin", true},
                    {"exclude_alerts", true},
                    {"label_values_match", true},
                    {"lifecycle", true},
                    {"query_stats", true},
                    {"query_warnings", true},
                    {"remote_write_receiver", true},
                    {"time_range_labels", true},
                    {"time_range_series", true}}},
                  {"promql",
                   {{"anchored", experimental},
                    {"at_modifier", true},
                    {"bool", true},
                    {"by", true},
                    {"duration_expr", experimental},
                    {"experimental_functions", experimental},
                    {"group_left", true},
                    {"group_right", true},
                    {"ignoring", true},
                    {"negative_offset", true},
                    {"offset", true},
                    {"on", true},
                    {"smoothed", experimental},
                    {"subqueries", true},
                    {"without", true}}},
                  {"promql_functions", std::move(functions)}});
}

Result<ApiData> notifications(const PrometheusApiDeps&) { return std::string("[]"); }

}  // namespace

Status register_status_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  using Call = Result<ApiData> (*)(const PrometheusApiDeps&);
  const std::pair<std::string_view, Call> calls[] = {
      {"/api/v1/status/config", config},
      {"/api/v1/status/flags", flags},
      {"/api/v1/status/runtimeinfo", runtime_info},
      {"/api/v1/status/buildinfo", build_info},
      {"/api/v1/status/walreplay", wal_replay},
      {"/api/v1/features", features},
      {"/api/v1/notifications", notifications},
  };
  for (const auto& [pattern, call] : calls) {
    TRY(add_api_call(router, {std::string(pattern), {net::Method::kGet}},
                     [deps, call = call](const Request&) { return call(*deps); }));
  }
  return {};
}

}  // namespace binnacle::show
