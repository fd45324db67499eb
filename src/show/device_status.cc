#include "show/device_status.h"

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::show {
namespace {

using nlohmann::json;

constexpr std::string_view kKind = "device_status";
constexpr size_t kMaxLayers = 4096;
constexpr size_t kMaxIdBytes = 256;

Unexpected wrong(std::string_view what) {
  return fail(Code::kInvalidArgument,
              fmt::format("device status: {}; send {{\"model_loaded\": true, \"assigned_layers\": "
                          "[0, 1], \"is_healthy\": true}}, or some of these",
                          what));
}

Result<std::vector<int64_t>> layers_of(const json& value) {
  if (!value.is_array()) return wrong("assigned_layers is no list of numbers");
  if (value.size() > kMaxLayers) return wrong("assigned_layers is too long");
  std::vector<int64_t> layers;
  for (const json& layer : value) {
    if (!layer.is_number_integer()) return wrong("assigned_layers is no list of numbers");
    layers.push_back(layer.get<int64_t>());
  }
  return layers;
}

// Sets in `status` what stands in the object.
Status apply(const json& object, DeviceStatus& status) {
  if (!object.is_object()) return wrong("no JSON object");
  for (const auto& [name, value] : object.items()) {
    if (name == "model_loaded" || name == "is_healthy") {
      if (!value.is_boolean()) return wrong(name + " is neither true nor false");
      (name == "is_healthy" ? status.is_healthy : status.model_loaded) = value.get<bool>();
    } else if (name == "assigned_layers") {
      TRY_ASSIGN(status.assigned_layers, layers_of(value));
    } else if (name == "reported_ms" && value.is_number_integer()) {
      status.reported_ms = value.get<int64_t>();
    } else {
      return wrong(fmt::format("unknown member {:.64}", name));
    }
  }
  return {};
}

json to_json(const DeviceStatus& status) {
  json out = {{"reported_ms", status.reported_ms}};
  if (status.model_loaded) out["model_loaded"] = *status.model_loaded;
  if (status.assigned_layers) out["assigned_layers"] = *status.assigned_layers;
  if (status.is_healthy) out["is_healthy"] = *status.is_healthy;
  return out;
}

Result<json> parsed(std::string_view text) {
  json object = parse_json(text);
  if (object.is_discarded()) return wrong("not JSON");
  return object;
}

}  // namespace

Result<DeviceStatus> DeviceStatuses::set(const std::string& device, std::string_view text,
                                         store::access::Actor actor) {
  if (device.empty() || device.size() > kMaxIdBytes) return wrong("the device's id is too long");
  TRY_ASSIGN(const auto before, all());
  const auto found = before.find(device);
  if (found == before.end() && before.size() >= kMaxDevices) {
    return fail(
        Code::kResourceExhausted,
        fmt::format("device status: {} devices are known, which is the limit", before.size()));
  }
  DeviceStatus status = found == before.end() ? DeviceStatus() : found->second;
  TRY_ASSIGN(const json object, parsed(text));
  if (object.contains("reported_ms")) return wrong("unknown member reported_ms");
  TRY(apply(object, status));
  const bool same = found != before.end() && status == found->second;
  status.reported_ms = clock_.wall_ms();
  TRY(objects_.put_api(std::string(kKind), device, to_json(status).dump()));
  if (same) return status;
  store::access::AuditRecord record;
  record.action = "device.status_set";
  record.actor = std::move(actor);
  record.subject = device;
  record.detail = to_json(status).dump();
  TRY(audit_.append(std::move(record)));
  return status;
}

Result<std::map<std::string, DeviceStatus>> DeviceStatuses::all() {
  TRY_ASSIGN(const auto rows, objects_.list(std::string(kKind)));
  std::map<std::string, DeviceStatus> out;
  for (const auto& row : rows) {
    TRY_ASSIGN(const json object, parsed(row.data));
    TRY(apply(object, out[row.name]));
  }
  return out;
}

}  // namespace binnacle::show
