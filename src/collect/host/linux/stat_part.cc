// /proc/stat: time of each CPU by mode, and the kernel's counters of interrupts, switches and
// processes.
#include <algorithm>
#include <array>

#include "base/process_stat.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kCpuLabels[] = {"cpu", "mode"};
constexpr Metric kCpuSeconds =
    counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", kCpuLabels);
constexpr Metric kGuestSeconds =
    counter("node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.",
            kCpuLabels);

struct Mode {
  const Metric& metric;
  std::string_view label;
};
// In the order of the file; proc(5).
constexpr Mode kModes[] = {
    {kCpuSeconds, "user"},    {kCpuSeconds, "nice"},   {kCpuSeconds, "system"},
    {kCpuSeconds, "idle"},    {kCpuSeconds, "iowait"}, {kCpuSeconds, "irq"},
    {kCpuSeconds, "softirq"}, {kCpuSeconds, "steal"},  {kGuestSeconds, "user"},
    {kGuestSeconds, "nice"},
};
constexpr size_t kModeCount = std::size(kModes);
constexpr size_t kModesOfOldestKernel = 4;
constexpr int64_t kMaxCpus = 65'536;

// The kernel's idle and iowait may step back a little; a counter must not. A larger step is a real
// reset (a CPU that was away).
constexpr double kResetSeconds = 3;

struct KernelCounter {
  std::string_view key;
  Metric metric;
};
constexpr KernelCounter kKernelCounters[] = {
    {"intr", counter("node_intr_total", "Total number of interrupts serviced.")},
    {"ctxt", counter("node_context_switches_total", "Total number of context switches.")},
    {"btime", gauge("node_boot_time_seconds", "Node boot time, in unixtime.")},
    {"processes", counter("node_forks_total", "Total number of forks.")},
    {"procs_running", gauge("node_procs_running", "Number of processes in runnable state.")},
    {"procs_blocked",
     gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete.")},
};

class StatPart final : public Part {
 public:
  explicit StatPart(const Source& source) : file_(source.files, source.proc("stat")) {}

  std::string_view name() const override { return "stat"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    size_t cpus = 0;
    for (std::string_view line; next_line(rest, line);) {
      const std::string_view key = next_field(line);
      if (!key.starts_with("cpu")) {
        emit_counter(key, line, emitter, faults);
      } else if (key.size() > 3) {
        ++cpus;
        emit_cpu(key.substr(3), line, emitter, faults);
      }
    }
    if (cpus == 0) faults.bad(file_.path(), "the list of CPUs", "no line cpu0");
    return faults.take();
  }

 private:
  using Seconds = std::array<double, kModeCount>;

  void emit_cpu(std::string_view cpu, std::string_view fields, Emitter& emitter, Faults& faults) {
    const auto number = parse_integer(cpu);
    if (!number || *number < 0 || *number >= kMaxCpus) {
      faults.bad(file_.path(), "the number of a CPU", cpu);
      return;
    }
    const auto index = static_cast<size_t>(*number);
    if (index >= last_.size()) last_.resize(index + 1);
    for (size_t i = 0; i < kModeCount; ++i) {
      const std::string_view field = next_field(fields);
      if (field.empty() && i >= kModesOfOldestKernel) return;
      const auto ticks = parse_number(field);
      if (!ticks) {
        faults.bad(file_.path(), "the time of a CPU", field);
        return;
      }
      double& last = last_[index][i];
      const double seconds = *ticks / kTicksPerSecond;
      if (seconds >= last || last - seconds >= kResetSeconds) last = seconds;
      emitter.emit(kModes[i].metric, {cpu, kModes[i].label}, last);
    }
  }

  void emit_counter(std::string_view key, std::string_view fields, Emitter& emitter,
                    Faults& faults) const {
    const auto* const known = std::ranges::find(kKernelCounters, key, &KernelCounter::key);
    if (known == std::end(kKernelCounters)) return;
    const std::string_view field = next_field(fields);
    if (const auto value = parse_number(field)) {
      emitter.emit(known->metric, *value);
    } else {
      faults.bad(file_.path(), key, field);
    }
  }

  KernelFile file_;
  std::vector<Seconds> last_;  // by CPU number
};

}  // namespace

std::unique_ptr<Part> stat_part(const Source& source) { return std::make_unique<StatPart>(source); }

}  // namespace binnacle::collect::host
