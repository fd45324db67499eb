#include "show/dashboard_api.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/promql/engine.h"
#include "show/dashboard_devices.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;
using nlohmann::json;

constexpr size_t kMaxStatusBody = 64 << 10;

// Over all engines. Histograms of two engines have other buckets, so that only their quantiles
// meet.
std::string quantile(double q, std::string_view metric) {
  return fmt::format("max(histogram_quantile({}, sum by (engine, le) (rate({}_bucket[5m]))))", q,
                     metric);
}

struct Number {
  const char* name;
  std::string query;
};

const std::vector<Number>& rates() {
  static const std::vector<Number> kAll = {
      {"requests_per_second", "sum(rate(llm_requests_finished_total[1m]))"},
      {"tokens_per_second", "sum(rate(llm_generation_tokens_total[1m]))"},
      {"prompt_tokens_per_second", "sum(rate(llm_prompt_tokens_total[1m]))"},
      {"errors_per_second", "sum(rate(llm_request_errors_total[1m]))"},
  };
  return kAll;
}

const std::vector<Number>& load() {
  static const std::vector<Number> kAll = {
      {"requests_running", "sum(llm_requests_running)"},
      {"requests_waiting", "sum(llm_requests_waiting)"},
      {"kv_cache_usage_ratio", "max(llm_kv_cache_usage_ratio)"},
      {"time_to_first_token_p50_seconds", quantile(0.5, "llm_time_to_first_token_seconds")},
      {"time_to_first_token_p95_seconds", quantile(0.95, "llm_time_to_first_token_seconds")},
      {"inter_token_latency_p95_seconds", quantile(0.95, "llm_inter_token_latency_seconds")},
      {"request_duration_p95_seconds", quantile(0.95, "llm_request_duration_seconds")},
  };
  return kAll;
}

const std::vector<Number>& totals() {
  static const std::vector<Number> kAll = {
      {"requests_total", "sum(llm_requests_finished_total)"},
      {"generation_tokens_total", "sum(llm_generation_tokens_total)"},
      {"prompt_tokens_total", "sum(llm_prompt_tokens_total)"},
      {"errors_total", "sum(llm_request_errors_total)"},
      {"preemptions_total", "sum(llm_preemptions_total)"},
      {"engines", "count(count by (engine, instance) (llm_requests_running))"},
      {"models", "count(count by (model) (llm_requests_running))"},
      {"nodes", "count(count by (instance) (node_boot_time_seconds))"},
      {"targets_up", "sum(up)"},
      {"targets", "count(up)"},
  };
  return kAll;
}

json known(std::optional<double> value) {
  return value && std::isfinite(*value) ? json(*value) : json();
}

// One request's answer: all its queries are of one time.
class Answer {
 public:
  Answer(const DashboardApiDeps& deps, const Request& request)
      : deps_(deps), request_(request), now_ms_(deps.clock.wall_ms()) {}

  int64_t now_ms() const { return now_ms_; }

  Result<std::vector<Reading>> vector(const std::string& text) const {
    query::promql::Query query;
    query.text = text;
    query.steps = {now_ms_, now_ms_, 0};
    query.instant = true;
    TRY_ASSIGN(auto answer, query::promql::evaluate(deps_.store, query, deps_.limits(), deps_.clock,
                                                    request_.cancelled));
    std::vector<Reading> out;
    for (auto& row : answer.rows) out.push_back({std::move(row.labels), row.values.at(0)});
    return out;
  }

  Result<std::optional<double>> number(const std::string& text) const {
    TRY_ASSIGN(const auto readings, vector(text));
    return readings.empty() ? std::nullopt : std::optional(readings.front().value);
  }

  Status add(const std::vector<Number>& numbers, json& out) const {
    for (const auto& [name, query] : numbers) {
      TRY_ASSIGN(const auto value, number(query));
      out[name] = known(value);
    }
    return {};
  }

  Result<std::vector<Device>> devices() const {
    std::string names;
    for (const std::string& metric : device_metrics()) names += (names.empty() ? "" : "|") + metric;
    TRY_ASSIGN(auto all, vector(fmt::format("{{__name__=~\"{}\"}}", names)));
    ReadingsByMetric by_metric;
    for (Reading& reading : all)
      by_metric[std::string(reading.labels.metric_name())].push_back(std::move(reading));
    TRY_ASSIGN(const auto reports, deps_.statuses.all());
    return devices_of(by_metric, reports, now_ms_);
  }

 private:
  const DashboardApiDeps& deps_;
  const Request& request_;
  const int64_t now_ms_;
};

std::string_view health_name(DeviceHealth health) {
  switch (health) {
    case DeviceHealth::kHealthy:
      return "healthy";
    case DeviceHealth::kUnhealthy:
      return "unhealthy";
    case DeviceHealth::kUnknown:
      break;
  }
  return "unknown";
}

json device_json(const Device& device) {
  return {
      {"device_id", device.id},
      {"node", device.node},
      {"kind", device.kind},
      {"is_healthy", device.health == DeviceHealth::kHealthy},
      {"status", health_name(device.health)},
      {"model_loaded", device.model_loaded ? json(*device.model_loaded) : json()},
      {"assigned_layers", device.assigned_layers},
      {"utilization_percent", known(device.utilization_percent)},
      {"memory_used_bytes", known(device.memory_used_bytes)},
      {"memory_total_bytes", known(device.memory_total_bytes)},
      {"temperature_celsius", known(device.temperature_celsius)},
      {"power_watts", known(device.power_watts)},
      {"reported_at", device.reported_ms == 0 ? json() : json(format_rfc3339(device.reported_ms))},
  };
}

json beginning(const Answer& answer) { return {{"timestamp", format_rfc3339(answer.now_ms())}}; }

void add_overall(const std::vector<Device>& devices, json& out) {
  const std::string status = overall_status(devices);
  size_t healthy = 0;
  for (const Device& device : devices) healthy += device.health == DeviceHealth::kHealthy ? 1 : 0;
  out["overall_status"] = status;
  out["healthy"] = status == "healthy";
  out["devices_total"] = devices.size();
  out["devices_healthy"] = healthy;
}

Result<json> metrics(const Answer& answer) {
  json out = beginning(answer);
  TRY_ASSIGN(const auto devices, answer.devices());
  add_overall(devices, out);
  TRY(answer.add(rates(), out));
  TRY(answer.add(load(), out));
  return out;
}

Result<json> devices(const Answer& answer) {
  json out = beginning(answer);
  TRY_ASSIGN(const auto found, answer.devices());
  add_overall(found, out);
  out["devices"] = json::array();
  for (const Device& device : found) out["devices"].push_back(device_json(device));
  return out;
}

Result<json> throughput(const Answer& answer) {
  json out = beginning(answer);
  TRY(answer.add(rates(), out));
  std::map<std::string, json> by_engine;
  const std::pair<const char*, const char*> columns[] = {
      {"tokens_per_second", "llm_generation_tokens_total"},
      {"prompt_tokens_per_second", "llm_prompt_tokens_total"},
      {"requests_per_second", "llm_requests_finished_total"},
  };
  for (const auto& [name, metric] : columns) {
    TRY_ASSIGN(
        const auto readings,
        answer.vector(fmt::format("sum by (engine, model, instance) (rate({}[1m]))", metric)));
    for (const Reading& reading : readings) {
      json& row = by_engine[reading.labels.packed()];
      for (const char* label : {"engine", "model", "instance"})
        row[label] = std::string(reading.labels.get(label));
      row[name] = known(reading.value);
    }
  }
  out["engines"] = json::array();
  for (auto& [labels, row] : by_engine) {
    for (const auto& [name, metric] : columns) row.emplace(name, nullptr);
    out["engines"].push_back(std::move(row));
  }
  return out;
}

Result<json> stats(const Answer& answer) {
  json out = beginning(answer);
  TRY(answer.add(totals(), out));
  TRY(answer.add(rates(), out));
  TRY_ASSIGN(const auto found, answer.devices());
  add_overall(found, out);
  return out;
}

Response response_of(const Result<json>& body) {
  if (!body) return Response::error(body.error());
  return Response::json(200, body->dump(-1, ' ', false, json::error_handler_t::replace));
}

Response set_status(DeviceStatuses& statuses, const Request& request) {
  store::access::Actor actor{
      .name = request.identity.name,
      .key_id = request.identity.key_id,
      .address = request.connection == nullptr ? std::string() : request.connection->peer_address};
  const std::string id(request.path_param("id"));
  const auto status = statuses.set(id, request.body, std::move(actor));
  if (!status) return Response::error(status.error());
  json out = {{"device_id", id},
              {"model_loaded", status->model_loaded ? json(*status->model_loaded) : json()},
              {"assigned_layers", status->assigned_layers.value_or(std::vector<int64_t>())},
              {"is_healthy", status->is_healthy.value_or(false)}};
  return response_of(std::move(out));
}

}  // namespace

Status register_dashboard_api(net::Router& router, DashboardApiDeps deps) {
  const auto shared = std::make_shared<const DashboardApiDeps>(std::move(deps));
  using Call = Result<json> (*)(const Answer&);
  const std::pair<const char*, Call> calls[] = {{"/api/metrics", metrics},
                                                {"/api/devices", devices},
                                                {"/api/throughput", throughput},
                                                {"/api/stats", stats}};
  for (const auto& [pattern, call] : calls) {
    net::Route route;
    route.pattern = pattern;
    route.role = Role::kViewer;
    route.queue = shared->queue;
    route.handler = [shared, call = call](const Request& request) {
      return response_of(call(Answer(*shared, request)));
    };
    TRY(router.add(std::move(route)));
  }
  net::Route route;
  route.method = net::Method::kPost;
  route.pattern = "/api/devices/{id}/status";
  route.role = Role::kOperator;
  route.limits.max_body_bytes = kMaxStatusBody;
  route.handler = [shared](const Request& request) {
    return set_status(shared->statuses, request);
  };
  return router.add(std::move(route));
}

}  // namespace binnacle::show
