#include "show/targets_api.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/config_units.h"
#include "base/json_text.h"
#include "collect/scrape/target_status.h"
#include "net/client.h"
#include "query/promql/parser.h"
#include "show/api_params.h"
#include "show/api_routes.h"
#include "show/metadata_api.h"

namespace binnacle::show {
namespace {

namespace scrape = collect::scrape;
using net::Request;

void append_field(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(R"(,"{}":)", name);
  append_json_string(out, text);
}

// Where others reach what this server knows as its own loopback.
std::string global_url(const std::string& text, const std::string& host_name) {
  auto url = net::Url::parse(text);
  if (!url || host_name.empty()) return text;
  if (url->host != "localhost" && url->host != "127.0.0.1" && url->host != "::1") return text;
  url->host = host_name;
  return url->scheme + "://" + url->authority() + url->target;
}

void append_active(std::string& out, const scrape::ActiveTarget& target,
                   const std::string& host_name) {
  out += R"({"discoveredLabels":)";
  append_labels(out, target.discovered);
  out += R"(,"labels":)";
  append_labels(out, target.labels);
  append_field(out, "scrapePool", target.pool);
  append_field(out, "scrapeUrl", target.url);
  append_field(out, "globalUrl", global_url(target.url, host_name));
  append_field(out, "lastError", target.last_error);
  append_field(
      out, "lastScrape",
      target.last_scrape_ms == 0 ? "0001-01-01T00:00:00Z" : format_rfc3339(target.last_scrape_ms));
  out += fmt::format(R"(,"lastScrapeDuration":{})", target.last_duration_seconds);
  append_field(out, "health", scrape::target_health_name(target.health));
  append_field(out, "scrapeInterval", format_duration_ms(target.interval_ms));
  append_field(out, "scrapeTimeout", format_duration_ms(target.timeout_ms));
  out += '}';
}

class List {
 public:
  explicit List(std::string& out) : out_(out) { out_ += '['; }
  void next() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void end() { out_ += ']'; }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_active_targets(std::string& out, const PrometheusApiDeps& deps, std::string_view pool) {
  List list(out);
  if (deps.targets != nullptr) {
    const std::string host_name = deps.facts().host_name;
    for (const scrape::ActiveTarget& target : deps.targets->active()) {
      if (!pool.empty() && target.pool != pool) continue;
      list.next();
      append_active(out, target, host_name);
    }
  }
  list.end();
}

void append_dropped_targets(std::string& out, const PrometheusApiDeps& deps,
                            std::string_view pool) {
  List list(out);
  if (deps.targets != nullptr) {
    for (const scrape::DroppedTarget& target : deps.targets->dropped()) {
      if (!pool.empty() && target.pool != pool) continue;
      list.next();
      out += R"({"discoveredLabels":)";
      append_labels(out, target.discovered);
      append_field(out, "scrapePool", target.pool);
      out += '}';
    }
  }
  list.end();
}

void append_dropped_counts(std::string& out, const PrometheusApiDeps& deps) {
  out += '{';
  bool first = true;
  if (deps.targets != nullptr) {
    for (const auto& [pool, count] : deps.targets->dropped_counts()) {
      if (!first) out += ',';
      first = false;
      append_json_string(out, pool);
      out += fmt::format(":{}", count);
    }
  }
  out += '}';
}

Result<ApiData> targets(const PrometheusApiDeps& deps, const Request& request) {
  const net::Params params = request.params();
  const auto pool = params.get("scrapePool");
  const std::string state = lower_case(params.get("state"));
  const bool any = state.empty() || state == "any";
  std::string out = R"({"activeTargets":)";
  if (any || state == "active") {
    append_active_targets(out, deps, pool);
  } else {
    out += "[]";
  }
  out += R"(,"droppedTargets":)";
  if (any || state == "dropped") {
    append_dropped_targets(out, deps, pool);
    out += R"(,"droppedTargetCounts":)";
    append_dropped_counts(out, deps);
  } else {
    out += R"([],"droppedTargetCounts":null)";
  }
  return out + "}";
}

void append_family(std::string& out, model::LabelsView target, std::string_view metric,
                   const model::MetricMetadata& metadata) {
  out += R"({"target":)";
  append_labels(out, target);
  if (!metric.empty()) append_field(out, "metric", metric);
  append_field(out, "type", metric_type_text(metadata.type));
  append_field(out, "help", metadata.help);
  append_field(out, "unit", metadata.unit);
  out += '}';
}

// As in Prometheus, the limit is looked at between targets: all of a target is told or nothing.
Result<ApiData> target_metadata(const PrometheusApiDeps& deps, const Request& request) {
  const net::Params params = request.params();
  TRY_ASSIGN(const int64_t limit, number_param(params, "limit"));
  model::Matchers matchers;
  if (const auto text = params.get("match_target"); !text.empty()) {
    auto parsed = query::promql::parse_selector(text);
    if (!parsed) return invalid_param("match_target", std::move(parsed).error());
    matchers = std::move(*parsed);
  }
  const auto metric = params.get("metric");
  std::string out;
  List list(out);
  int64_t told = 0;
  if (deps.targets == nullptr) return std::string("[]");
  for (const scrape::TargetMetadata& one : deps.targets->metadata()) {
    if (limit >= 0 && told >= limit) break;
    if (!model::matches_all(matchers, one.target)) continue;
    for (const auto& [family, metadata] : one.families) {
      if (!metric.empty() && family != metric) continue;
      list.next();
      append_family(out, one.target, metric.empty() ? std::string_view(family) : "", metadata);
      ++told;
    }
  }
  list.end();
  return out;
}

Result<ApiData> scrape_pools(const PrometheusApiDeps& deps, const Request&) {
  std::string out = R"({"scrapePools":)";
  append_strings(out, deps.targets == nullptr ? std::vector<std::string>{} : deps.targets->pools());
  return out + "}";
}

}  // namespace

Status register_targets_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  using Call = Result<ApiData> (*)(const PrometheusApiDeps&, const Request&);
  const std::pair<std::string_view, Call> calls[] = {
      {"/api/v1/targets", targets},
      {"/api/v1/targets/metadata", target_metadata},
      {"/api/v1/scrape_pools", scrape_pools},
  };
  for (const auto& [pattern, call] : calls) {
    TRY(add_api_call(router, {std::string(pattern), {net::Method::kGet}},
                     [deps, call = call](const Request& request) { return call(*deps, request); }));
  }
  return {};
}

}  // namespace binnacle::show
