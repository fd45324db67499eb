// The units of systemd under the names of node_exporter's systemd collector.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr int64_t kPeriodMs = 15'000;
constexpr double kMicro = 1e-6;
constexpr std::string_view kStates[] = {"active", "activating", "deactivating", "inactive",
                                        "failed"};

constexpr std::string_view kNameStateType[] = {"name", "state", "type"};
constexpr std::string_view kName[] = {"name"};
constexpr std::string_view kStateLabel[] = {"state"};
constexpr std::string_view kVersionLabel[] = {"version"};
constexpr Metric kUnitState = gauge("node_systemd_unit_state", "Systemd unit", kNameStateType);
constexpr Metric kUnits =
    gauge("node_systemd_units", "Summary of systemd unit states", kStateLabel);
constexpr Metric kRunning =
    gauge("node_systemd_system_running",
          "Whether the system is operational (see 'systemctl is-system-running')");
constexpr Metric kVersion =
    gauge("node_systemd_version", "Detected systemd version", kVersionLabel);
constexpr Metric kStartTime = gauge("node_systemd_unit_start_time_seconds",
                                    "Start time of the unit since unix epoch in seconds.", kName);
constexpr Metric kRestarts =
    counter("node_systemd_service_restart_total", "Service unit count of Restart triggers", kName);
constexpr Metric kAccepted = counter("node_systemd_socket_accepted_connections_total",
                                     "Total number of accepted socket connections", kName);
constexpr Metric kCurrent =
    gauge("node_systemd_socket_current_connections", "Current number of socket connections", kName);
constexpr Metric kRefused = gauge("node_systemd_socket_refused_connections_total",
                                  "Total number of refused socket connections", kName);
constexpr Metric kLastTrigger =
    gauge("node_systemd_timer_last_trigger_seconds", "Seconds since epoch of last trigger.", kName);

class SystemdPart final : public Part {
 public:
  SystemdPart(std::unique_ptr<SystemdBus> bus, NameFilter include, NameFilter exclude,
              size_t max_units)
      : bus_(std::move(bus)),
        include_(std::move(include)),
        exclude_(std::move(exclude)),
        max_units_(max_units) {}

  std::string_view name() const override { return "systemd"; }
  int64_t period_ms() const override { return kPeriodMs; }

  Status collect(Emitter& emitter) override {
    TRY(tell_manager(emitter));
    TRY_ASSIGN(const auto units, bus_->units(max_units_));
    std::array<double, std::size(kStates)> totals = {};
    for (const SystemdUnit& unit : units) {
      for (size_t i = 0; i < totals.size(); ++i) totals[i] += kStates[i] == unit.state ? 1 : 0;
      if (unit.load_state == "loaded" && include_.matches(unit.name) &&
          !exclude_.matches(unit.name)) {
        TRY(tell(unit, emitter));
      }
    }
    for (size_t i = 0; i < totals.size(); ++i) emitter.emit(kUnits, {kStates[i]}, totals[i]);
    if (units.size() >= max_units_) {
      return fail(Code::kResourceExhausted, "systemd has " + std::to_string(max_units_) +
                                                " units or more; the rest is left out");
    }
    return {};
  }

 private:
  Status tell_manager(Emitter& emitter) {
    TRY_ASSIGN(const auto state, bus_->text(kSystemdManager, "Manager", "SystemState"));
    emitter.emit(kRunning, state == "running" ? 1 : 0);
    TRY_ASSIGN(const auto version, bus_->text(kSystemdManager, "Manager", "Version"));
    // "252.30-1~deb12u2": the number counts, the rest is the distribution's.
    const size_t digits = version.find_first_not_of("0123456789.");
    const std::string number = version.substr(0, digits);
    const auto major = parse_number(number.substr(0, number.find('.', number.find('.') + 1)));
    if (major) emitter.emit(kVersion, {version}, *major);
    return {};
  }

  // Only a bus that fails is an error; a unit that went since the list was made is not.
  Status tell(const SystemdUnit& unit, Emitter& emitter) {
    const std::string_view kind = std::string_view(unit.name).substr(unit.name.rfind('.') + 1);
    std::string type;
    if (kind == "service") TRY(take_type(unit, type));
    for (const std::string_view state : kStates) {
      emitter.emit(kUnitState, {unit.name, state, type}, state == unit.state ? 1 : 0);
    }
    if (unit.state == "active") {
      TRY(take(unit, "Unit", "ActiveEnterTimestamp", 't', kStartTime, kMicro, emitter));
    } else {
      emitter.emit(kStartTime, {unit.name}, 0);
    }
    if (kind == "service") return take(unit, "Service", "NRestarts", 'u', kRestarts, 1, emitter);
    if (kind == "timer") {
      return take(unit, "Timer", "LastTriggerUSec", 't', kLastTrigger, kMicro, emitter);
    }
    if (kind != "socket") return {};
    TRY(take(unit, "Socket", "NAccepted", 'u', kAccepted, 1, emitter));
    TRY(take(unit, "Socket", "NConnections", 'u', kCurrent, 1, emitter));
    return take(unit, "Socket", "NRefused", 'u', kRefused, 1, emitter);
  }

  Status take(const SystemdUnit& unit, std::string_view interface, const char* property, char type,
              const Metric& metric, double scale, Emitter& emitter) {
    const auto value = bus_->number(unit.object, interface, property, type);
    if (value) emitter.emit(metric, {unit.name}, *value * scale);
    return value || value.error().code == Code::kNotFound ? Status() : fail(value.error());
  }

  // A unit file's type stays as long as the unit is loaded; asking costs systemd some 100 us.
  Status take_type(const SystemdUnit& unit, std::string& type) {
    if (const auto found = types_.find(unit.name); found != types_.end()) {
      type = found->second;
      return {};
    }
    const auto asked = bus_->text(unit.object, "Service", "Type");
    if (!asked) return asked.error().code == Code::kNotFound ? Status() : fail(asked.error());
    type = *asked;
    if (types_.size() >= max_units_) types_.clear();
    types_.emplace(unit.name, type);
    return {};
  }

  const std::unique_ptr<SystemdBus> bus_;
  NameFilter include_;
  NameFilter exclude_;
  const size_t max_units_;  // fixed after construction
  std::unordered_map<std::string, std::string> types_;
};

}  // namespace

std::unique_ptr<Part> systemd_part(std::unique_ptr<SystemdBus> bus, NameFilter include,
                                   NameFilter exclude, size_t max_units) {
  return std::make_unique<SystemdPart>(std::move(bus), std::move(include), std::move(exclude),
                                       max_units);
}

}  // namespace binnacle::collect::host
