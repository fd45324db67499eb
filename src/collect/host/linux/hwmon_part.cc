// /sys/class/hwmon/hwmon*/: temperatures, fans, voltages, currents and power as the drivers tell
// them. Source: Linux, Documentation/hwmon/sysfs-interface.rst.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kLabels[] = {"chip", "sensor"};
constexpr std::string_view kChipNameLabels[] = {"chip", "chip_name"};
constexpr std::string_view kSensorLabelLabels[] = {"chip", "sensor", "label"};
constexpr Metric kChipNames = gauge(
    "node_hwmon_chip_names", "Annotation metric for human-readable chip names", kChipNameLabels);
constexpr Metric kSensorLabel =
    gauge("node_hwmon_sensor_label", "Label for given chip and sensor", kSensorLabelLabels);

struct Element {
  std::string_view type;     // "temp" of "temp1_input"
  std::string_view element;  // "input"
  Metric metric;
  double scale = 1;
};

constexpr Element sensor(std::string_view type, std::string_view element, std::string_view name,
                         std::string_view help, double scale) {
  return {type, element, gauge(name, help, kLabels), scale};
}

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;

constexpr Element kElements[] = {
    sensor("temp", "input", "node_hwmon_temp_celsius", "Hardware monitor for temperature (input)",
           kMilli),
    sensor("temp", "max", "node_hwmon_temp_max_celsius", "Hardware monitor for temperature (max)",
           kMilli),
    sensor("temp", "crit", "node_hwmon_temp_crit_celsius",
           "Hardware monitor for temperature (crit)", kMilli),
    sensor("fan", "input", "node_hwmon_fan_rpm",
           "Hardware monitor for fan revolutions per minute (input)", 1),
    sensor("in", "input", "node_hwmon_in_volts", "Hardware monitor for voltage (input)", kMilli),
    sensor("curr", "input", "node_hwmon_curr_amps", "Hardware monitor for current (input)", kMilli),
    sensor("power", "input", "node_hwmon_power_watt",
           "Hardware monitor for power usage in watts (input)", kMicro),
    sensor("power", "average", "node_hwmon_power_average_watt",
           "Hardware monitor for power usage in watts (average)", kMicro),
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct SensorFile {
  std::string_view sensor;   // "temp1"
  std::string_view type;     // "temp"
  std::string_view element;  // "input"
};

std::optional<SensorFile> parse_sensor_file(std::string_view name) {
  const size_t bar = name.find('_');
  if (bar == std::string_view::npos) return std::nullopt;
  const std::string_view whole = name.substr(0, bar);
  size_t end = whole.size();
  while (end > 0 && is_digit(whole[end - 1])) --end;
  if (end == 0 || end == whole.size()) return std::nullopt;
  return SensorFile{whole, whole.substr(0, end), name.substr(bar + 1)};
}

// As node_exporter makes label values of names: lower case, anything but a-z, 0-9, ':' and '_'
// turned to '_', none of those at the ends.
std::string clean(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool fits = (c >= 'a' && c <= 'z') || is_digit(c) || c == ':' || c == '_';
    out += fits ? c : '_';
  }
  const size_t begin = out.find_first_not_of('_');
  if (begin == std::string::npos) return {};
  return out.substr(begin, out.find_last_not_of('_') - begin + 1);
}

// hwmon numbers change from boot to boot; where the device sits does not: "platform_coretemp_0".
std::string chip_of(const std::string& folder, const std::string& hwmon) {
  std::error_code error;
  const auto device = std::filesystem::canonical(folder + "/device", error);
  if (error) return clean(hwmon);
  const std::string name = clean(device.filename().string());
  const std::string bus = clean(device.parent_path().filename().string());
  if (name.empty()) return clean(hwmon);
  return bus.empty() ? name : bus + "_" + name;
}

class HwmonPart final : public Part {
 public:
  explicit HwmonPart(const Source& source) : source_(source), folder_(source.sys("class/hwmon")) {}

  std::string_view name() const override { return "hwmon"; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    const auto entries = source_.files.list(folder_);
    if (!entries && is_absent(entries.error())) return {};  // no sensor drivers, as in most guests
    if (!entries) return fail(entries.error());
    Faults faults;
    for (const DirEntry& entry : *entries) {
      if (entry.is_directory) emit_chip(entry.name, emitter, faults);
    }
    return faults.take();
  }

 private:
  void emit_chip(const std::string& hwmon, Emitter& emitter, Faults& faults) {
    const std::string folder = folder_ + "/" + hwmon;
    const std::string chip = chip_of(folder, hwmon);
    const auto chip_name = read_small_file(source_.files, folder + "/name");
    if (chip_name) emitter.emit(kChipNames, {chip, clean(*chip_name)}, 1);
    const auto files = source_.files.list(folder);
    if (!files) return faults.add(fail(files.error()));
    for (const DirEntry& file : *files) {
      const auto sensor_file = parse_sensor_file(file.name);
      if (sensor_file) emit_sensor(folder + "/" + file.name, chip, *sensor_file, emitter, faults);
    }
  }

  void emit_sensor(const std::string& path, const std::string& chip, const SensorFile& file,
                   Emitter& emitter, Faults& faults) {
    const auto* const element = std::ranges::find_if(kElements, [&](const Element& known) {
      return known.type == file.type && known.element == file.element;
    });
    const bool is_label = file.element == "label";
    if (element == std::end(kElements) && !is_label) return;
    const auto text = read_small_file(source_.files, path);
    if (!text) return;  // many a sensor answers with an error while its device sleeps
    if (is_label) {
      emitter.emit(kSensorLabel, {chip, file.sensor, clean(*text)}, 1);
    } else if (const auto value = parse_number(*text)) {
      emitter.emit(element->metric, {chip, file.sensor}, *value * element->scale);
    } else {
      faults.bad(path, "the value", *text);
    }
  }

  const Source source_;
  const std::string folder_;
};

}  // namespace

std::unique_ptr<Part> hwmon_part(const Source& source) {
  return std::make_unique<HwmonPart>(source);
}

}  // namespace binnacle::collect::host
