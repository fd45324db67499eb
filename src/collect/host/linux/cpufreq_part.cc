// /sys/devices/system/cpu/cpu*/cpufreq/: clock rates in kHz. Absent where the host decides (most
// guests).
#include <algorithm>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr double kHertzPerKhz = 1000;
constexpr std::string_view kCpuLabel[] = {"cpu"};

struct Rate {
  std::string_view file;
  Metric metric;
};

constexpr Rate kRates[] = {
    {"cpuinfo_cur_freq",
     gauge("node_cpu_frequency_hertz", "Current CPU thread frequency in hertz.", kCpuLabel)},
    {"cpuinfo_min_freq",
     gauge("node_cpu_frequency_min_hertz", "Minimum CPU thread frequency in hertz.", kCpuLabel)},
    {"cpuinfo_max_freq",
     gauge("node_cpu_frequency_max_hertz", "Maximum CPU thread frequency in hertz.", kCpuLabel)},
    {"scaling_cur_freq", gauge("node_cpu_scaling_frequency_hertz",
                               "Current scaled CPU thread frequency in hertz.", kCpuLabel)},
    {"scaling_min_freq", gauge("node_cpu_scaling_frequency_min_hertz",
                               "Minimum scaled CPU thread frequency in hertz.", kCpuLabel)},
    {"scaling_max_freq", gauge("node_cpu_scaling_frequency_max_hertz",
                               "Maximum scaled CPU thread frequency in hertz.", kCpuLabel)},
};

// The number of "cpu12"; empty for "cpufreq", "cpuidle" and others.
std::string_view cpu_number(std::string_view name) {
  if (!name.starts_with("cpu")) return {};
  const std::string_view number = name.substr(3);
  const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? number : std::string_view();
}

class CpufreqPart final : public Part {
 public:
  explicit CpufreqPart(const Source& source)
      : source_(source), folder_(source.sys("devices/system/cpu")) {}

  std::string_view name() const override { return "cpufreq"; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(const auto entries, source_.files.list(folder_));
    Faults faults;
    for (const DirEntry& entry : entries) {
      const std::string_view cpu = cpu_number(entry.name);
      const std::string rates = folder_ + "/" + entry.name + "/cpufreq/";
      if (!cpu.empty() && source_.files.exists(rates)) emit_cpu(cpu, rates, emitter, faults);
    }
    return faults.take();
  }

 private:
  void emit_cpu(std::string_view cpu, const std::string& folder, Emitter& emitter, Faults& faults) {
    for (const Rate& rate : kRates) {
      const std::string path = folder + std::string(rate.file);
      const auto text = read_small_file(source_.files, path);
      if (!text) continue;  // not every driver has every rate, and some are for root alone
      if (const auto khz = parse_number(*text)) {
        emitter.emit(rate.metric, {cpu}, *khz * kHertzPerKhz);
      } else {
        faults.bad(path, "the value", *text);
      }
    }
  }

  const Source source_;
  const std::string folder_;
};

}  // namespace

std::unique_ptr<Part> cpufreq_part(const Source& source) {
  return std::make_unique<CpufreqPart>(source);
}

}  // namespace binnacle::collect::host
