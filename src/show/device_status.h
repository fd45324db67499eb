// What was reported of single devices by POST /api/devices/{id}/status: whether a model is loaded,
// which layers are assigned, whether the device is well. Rows of the state store, so that they
// survive a restart. Any thread but I/O threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "store/access/audit_log.h"
#include "store/state/objects.h"

namespace binnacle::show {

struct DeviceStatus {
  std::optional<bool> model_loaded;
  std::optional<std::vector<int64_t>> assigned_layers;
  std::optional<bool> is_healthy;
  int64_t reported_ms = 0;
  friend bool operator==(const DeviceStatus&, const DeviceStatus&) = default;
};

class DeviceStatuses {
 public:
  // Of devices; 429 beyond.
  static constexpr size_t kMaxDevices = 10'000;

  // All outlive the object. A change is audited, a report that repeats the last one is not.
  DeviceStatuses(store::state::ObjectStore& objects, store::access::AuditLog& audit,
                 const Clock& clock)
      : objects_(objects), audit_(audit), clock_(clock) {}

  // Sets what `json` has of the three members and leaves the others. kInvalidArgument names what is
  // wrong with it.
  Result<DeviceStatus> set(const std::string& device, std::string_view json,
                           store::access::Actor actor);
  Result<std::map<std::string, DeviceStatus>> all();

 private:
  store::state::ObjectStore& objects_;
  store::access::AuditLog& audit_;
  const Clock& clock_;
};

}  // namespace binnacle::show
