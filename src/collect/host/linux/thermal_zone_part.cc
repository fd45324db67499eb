// /sys/class/thermal/thermal_zone*/: type and temperature in thousandths of a degree.
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kPrefix = "thermal_zone";
constexpr std::string_view kLabels[] = {"zone", "type"};
constexpr Metric kTemperature =
    gauge("node_thermal_zone_temp", "Zone temperature in Celsius", kLabels);
constexpr double kDegreesPerMilli = 1e-3;

class ThermalZonePart final : public Part {
 public:
  explicit ThermalZonePart(const Source& source)
      : source_(source), folder_(source.sys("class/thermal")) {}

  std::string_view name() const override { return "thermal_zone"; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    const auto entries = source_.files.list(folder_);
    if (!entries && is_absent(entries.error())) return {};
    if (!entries) return fail(entries.error());
    Faults faults;
    for (const DirEntry& entry : *entries) {
      if (!entry.name.starts_with(kPrefix)) continue;
      const std::string zone = folder_ + "/" + entry.name;
      const auto type = read_small_file(source_.files, zone + "/type");
      const auto text = read_small_file(source_.files, zone + "/temp");
      if (!type || !text) continue;  // a sensor that is switched off cannot be read
      if (const auto value = parse_number(*text)) {
        emitter.emit(kTemperature, {std::string_view(entry.name).substr(kPrefix.size()), *type},
                     *value * kDegreesPerMilli);
      } else {
        faults.bad(zone + "/temp", "the value", *text);
      }
    }
    return faults.take();
  }

 private:
  const Source source_;
  const std::string folder_;
};

}  // namespace

std::unique_ptr<Part> thermal_zone_part(const Source& source) {
  return std::make_unique<ThermalZonePart>(source);
}

}  // namespace binnacle::collect::host
