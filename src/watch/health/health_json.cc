#include "watch/health/health_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include <fmt/format.h>

#include "base/config_units.h"
#include "base/json_parse.h"
#include "base/time_text.h"

namespace binnacle::watch::health {
namespace {

using nlohmann::json;

constexpr int64_t kMaxTtlMs = int64_t{30} * 24 * 3'600'000;
constexpr int64_t kMaxMaintenanceMs = int64_t{365} * 24 * 3'600'000;
constexpr size_t kMaxMessageBytes = 4096;
constexpr size_t kMaxEvidence = 32;

json time_json(int64_t at_ms) { return at_ms == 0 ? json() : json(format_rfc3339(at_ms)); }

json counts_json(const std::array<uint32_t, 5>& counts) {
  json out = json::object();
  for (size_t i = 0; i < counts.size(); ++i)
    out[std::string(health_name(static_cast<Health>(i)))] = counts.at(i);
  return out;
}

void add_summary(const Summary& sum, int64_t since_ms, json& out) {
  const auto score = sum.score();
  out["score"] = score ? json(*score) : json();
  out["deciding_check"] = sum.deciding.empty() ? json() : json(sum.deciding);
  out["reason"] = sum.reason;
  out["since"] = time_json(since_ms);
}

json component_json(const HealthTree& tree, const std::string& name, const ComponentRow& row) {
  json out = {{"name", name}, {"status", health_name(row.sum.health)}};
  add_summary(row.sum, row.since_ms, out);
  out["checks"] = json::array();
  for (const std::string& check : row.checks)
    out["checks"].push_back(check_json(tree.checks().at(check)));
  return out;
}

json node_json(const HealthTree& tree, const std::string& name, const NodeRow& row) {
  json out = {{"name", name},
              {"state", row.fact ? json(model::node_state_name(row.fact->state)) : json()},
              {"state_since", row.fact ? time_json(row.fact->since_ms) : json()},
              {"status", health_name(row.sum.health)},
              {"counted", row.sum.counted}};
  add_summary(row.sum, row.since_ms, out);
  out["components"] = json::array();
  for (const std::string& component : row.components)
    out["components"].push_back(
        component_json(tree, component, tree.components().at({name, component})));
  return out;
}

json summary_json(const HealthTree& tree) {
  std::array<uint32_t, 5> components = {};
  std::array<uint32_t, 5> nodes = {};
  json states = json::object();
  for (const auto& [key, row] : tree.components())
    components.at(static_cast<size_t>(row.sum.health)) += 1;
  for (const auto& [name, row] : tree.nodes()) {
    nodes.at(static_cast<size_t>(row.sum.health)) += 1;
    if (!row.fact) continue;
    json& count = states[std::string(model::node_state_name(row.fact->state))];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  return {{"checks", counts_json(tree.cluster().sum.checks)},
          {"components", counts_json(components)},
          {"nodes", counts_json(nodes)},
          {"node_states", std::move(states)}};
}

// The fields of a JSON object; every problem names its field.
class Fields {
 public:
  Fields(const json& object, std::string_view what) : object_(object), what_(what) {}

  Unexpected bad(std::string_view name, std::string_view advice) const {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}: {}", what_, name, advice));
  }
  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  Status read(const char* name, std::string& out) const {
    const json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return bad(name, "write text");
    out = value->get<std::string>();
    if (out.size() > kMaxMessageBytes)
      return bad(name, fmt::format("{} bytes, the limit is {}", out.size(), kMaxMessageBytes));
    return {};
  }
  // "30s", or a number of seconds.
  Result<std::optional<int64_t>> duration_ms(const char* name, int64_t most_ms) const {
    const json* value = find(name);
    if (value == nullptr) return std::optional<int64_t>();
    int64_t ms = 0;
    if (value->is_number()) {
      const double seconds = value->get<double>();
      if (!(seconds >= 0 && seconds * 1000 <= static_cast<double>(most_ms)))
        return bad(name, "write seconds from 0 to " + std::to_string(most_ms / 1000));
      ms = static_cast<int64_t>(seconds * 1000);
    } else if (value->is_string()) {
      auto parsed = parse_duration_ms(value->get<std::string>());
      if (!parsed)
        return fail(std::move(parsed).error().with_context(fmt::format("{}: {}", what_, name)));
      ms = *parsed;
    } else {
      return bad(name, "write a duration like 30s, or seconds");
    }
    if (ms > most_ms) return bad(name, "at most " + format_duration_ms(most_ms));
    return std::optional(ms);
  }

 private:
  const json& object_;
  const std::string_view what_;
};

Result<json> parse_object(std::string_view body, std::string_view what) {
  json object = parse_json(body);
  if (!object.is_object())
    return fail(Code::kInvalidArgument, fmt::format("{}: the body is no JSON object", what));
  return object;
}

Status read_evidence(const Fields& fields, Reading& reading) {
  const json* list = fields.find("evidence");
  if (list == nullptr) return {};
  if (!list->is_array() || list->size() > kMaxEvidence)
    return fields.bad("evidence", fmt::format("write a list of up to {} texts", kMaxEvidence));
  for (const json& line : *list) {
    if (!line.is_string() || line.get_ref<const std::string&>().size() > kMaxMessageBytes)
      return fields.bad("evidence", "write texts of up to 4096 bytes");
    reading.evidence.push_back(line.get<std::string>());
  }
  return {};
}

Status read_numbers(const Fields& fields, Reading& reading) {
  if (const json* value = fields.find("value")) {
    if (!value->is_number()) return fields.bad("value", "write a number");
    reading.value = value->get<double>();
  }
  TRY_ASSIGN(const auto took_ms, fields.duration_ms("took", kMaxTtlMs));
  reading.took_ms = took_ms.value_or(0);
  return {};
}

}  // namespace

json check_json(const CheckRow& row) {
  const CheckSpec& spec = row.spec;
  const CheckState& state = row.state;
  json out = {{"name", spec.name},
              {"type", spec.kind},
              {"component", component_of(spec)},
              {"node", spec.node.empty() ? json() : json(spec.node)},
              {"criticality", criticality_name(spec.criticality)},
              {"origin", check_origin_name(spec.origin)},
              {"status", health_name(state.health)},
              {"reason", state.reason},
              {"since", time_json(state.since_ms)},
              {"last", nullptr},
              {"maintenance", nullptr}};
  if (!spec.description.empty()) out["description"] = spec.description;
  if (!spec.depends_on.empty()) out["depends_on"] = spec.depends_on;
  if (state.last) {
    const Reading& last = *state.last;
    out["last"] = {{"status", health_name(last.health)},
                   {"message", last.message},
                   {"value", last.value ? json(*last.value) : json()},
                   {"unit", last.unit},
                   {"duration_seconds", static_cast<double>(last.took_ms) / 1000},
                   {"time", time_json(state.last_ms)},
                   {"evidence", last.evidence}};
  }
  if (row.maintained) {
    out["maintenance"] = {{"until", time_json(row.maintenance.until_ms)},
                          {"reason", row.maintenance.reason}};
  }
  return out;
}

json runs_json(const RunCounts& runs) {
  return {{"runs", runs.runs},
          {"timeouts", runs.timeouts},
          {"skipped", runs.skipped},
          {"running", runs.running}};
}

json tree_json(const HealthTree& tree, int64_t now_ms, bool brief) {
  const ClusterRow& cluster = tree.cluster();
  json out = {{"timestamp", format_rfc3339(now_ms)},
              {"cluster", tree.cluster_name()},
              {"overall_status", health_name(cluster.sum.health)},
              {"healthy", cluster.sum.health == Health::kHealthy}};
  add_summary(cluster.sum, cluster.since_ms, out);
  out["summary"] = summary_json(tree);
  if (brief) return out;
  out["components"] = json::array();
  for (const auto& [key, row] : tree.components()) {
    if (!key.first.empty()) break;  // the cluster's own come first
    out["components"].push_back(component_json(tree, key.second, row));
  }
  out["nodes"] = json::array();
  for (const auto& [name, row] : tree.nodes()) out["nodes"].push_back(node_json(tree, name, row));
  return out;
}

json change_json(const HealthChange& change) {
  return {{"id", change.id},
          {"time", format_rfc3339(change.at_ms)},
          {"scope", scope_name(change.scope)},
          {"name", change.name},
          {"component", change.component.empty() ? json() : json(change.component)},
          {"node", change.node.empty() ? json() : json(change.node)},
          {"from", health_name(change.from)},
          {"to", health_name(change.to)},
          {"score", change.score ? json(*change.score) : json()},
          {"deciding_check", change.deciding.empty() ? json() : json(change.deciding)},
          {"reason", change.reason}};
}

Result<PushedReading> read_pushed(std::string_view body) {
  TRY_ASSIGN(const json object, parse_object(body, "result"));
  const Fields fields(object, "result");
  PushedReading pushed;
  std::string status;
  TRY(fields.read("status", status));
  const auto health = health_of_name(status);
  if (!health) return fields.bad("status", "write healthy, degraded, critical, failed or unknown");
  pushed.reading.health = *health;
  TRY(fields.read("message", pushed.reading.message));
  TRY(fields.read("unit", pushed.reading.unit));
  TRY(read_numbers(fields, pushed.reading));
  TRY(read_evidence(fields, pushed.reading));
  TRY_ASSIGN(pushed.ttl_ms, fields.duration_ms("ttl", kMaxTtlMs));
  TRY(fields.read("component", pushed.component));
  TRY(fields.read("node", pushed.node));
  TRY(fields.read("description", pushed.description));
  std::string criticality;
  TRY(fields.read("criticality", criticality));
  if (criticality.empty()) return pushed;
  pushed.criticality = criticality_of_name(criticality);
  if (!pushed.criticality)
    return fields.bad("criticality", "write critical, contributing or informative");
  return pushed;
}

Result<Maintenance> read_maintenance(std::string_view body, int64_t now_ms) {
  TRY_ASSIGN(const json object, parse_object(body, "maintenance"));
  const Fields fields(object, "maintenance");
  Maintenance maintenance;
  TRY(fields.read("reason", maintenance.reason));
  TRY_ASSIGN(const auto for_ms, fields.duration_ms("for", kMaxMaintenanceMs));
  std::string until;
  TRY(fields.read("until", until));
  if (for_ms.has_value() != until.empty())
    return fields.bad("for", "write either for, like 2h, or until, an RFC 3339 time");
  if (for_ms) {
    maintenance.until_ms = now_ms + *for_ms;
  } else {
    auto parsed = parse_time_ms(until);
    if (!parsed) return fail(std::move(parsed).error().with_context("maintenance: until"));
    maintenance.until_ms = *parsed;
  }
  if (maintenance.until_ms <= now_ms) return fields.bad("until", "it is over already");
  if (maintenance.until_ms - now_ms > kMaxMaintenanceMs)
    return fields.bad("until", "at most a year from now");
  return maintenance;
}

}  // namespace binnacle::watch::health
