// process_* as Prometheus' own client libraries name them, read from /proc/self.
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/process_stat.h"

#include <sys/resource.h>
#include <unistd.h>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

namespace binnacle {
namespace {

std::optional<double> leading_number(std::string_view text) {
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return {};
  return value;
}

double boot_time_seconds(FileSystem& files) {
  const auto text = files.read_file("/proc/stat");
  if (!text) return 0;
  constexpr std::string_view kKey = "\nbtime ";
  const size_t at = text->find(kKey);
  if (at == std::string::npos) return 0;
  return leading_number(std::string_view(*text).substr(at + kKey.size())).value_or(0);
}

double soft_limit(__rlimit_resource resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);  // without a limit: 2^64, as client_golang has it
}

class ProcessInstruments {
 public:
  explicit ProcessInstruments(Registry& registry)
      : cpu_seconds_(registry.counter("process_cpu_seconds_total",
                                      "Total user and system CPU time spent in seconds.")),
        open_fds_(registry.gauge("process_open_fds", "Number of open file descriptors.")),
        max_fds_(registry.gauge("process_max_fds", "Maximum number of open file descriptors.")),
        virtual_bytes_(
            registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")),
        max_virtual_bytes_(registry.gauge("process_virtual_memory_max_bytes",
                                          "Maximum amount of virtual memory available in bytes.")),
        resident_bytes_(
            registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.")),
        start_time_(registry.gauge("process_start_time_seconds",
                                   "Start time of the process since unix epoch in seconds.")),
        threads_(registry.gauge("process_threads", "Number of threads of the process.")) {}

  // What cannot be read keeps its last value.
  void refresh() {
    const auto text = files_.read_file("/proc/self/stat");
    if (const auto stat = text ? parse_process_stat(*text) : std::nullopt) read_stat(*stat);
    // Counting itself holds one descriptor open. To list them would look at what each points to.
    if (const auto open = files_.count("/proc/self/fd")) {
      open_fds_.set(static_cast<double>(*open) - 1);
    }
    max_fds_.set(soft_limit(RLIMIT_NOFILE));
    max_virtual_bytes_.set(soft_limit(RLIMIT_AS));
  }

 private:
  void read_stat(const ProcessStat& stat) {
    const double cpu = (stat.user_ticks + stat.system_ticks) / kTicksPerSecond;
    if (cpu > cpu_seconds_.value()) cpu_seconds_.add(cpu - cpu_seconds_.value());
    virtual_bytes_.set(stat.virtual_bytes);
    resident_bytes_.set(stat.resident_pages * page_bytes_);
    threads_.set(stat.threads);
    start_time_.set(boot_time_ + static_cast<double>(stat.start_ticks) / kTicksPerSecond);
  }

  // Fixed after construction. One refresh at a time: the registry sees to it.
  FileSystem& files_ = real_file_system();
  const double page_bytes_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double boot_time_ = boot_time_seconds(files_);
  Counter& cpu_seconds_;
  Gauge& open_fds_;
  Gauge& max_fds_;
  Gauge& virtual_bytes_;
  Gauge& max_virtual_bytes_;
  Gauge& resident_bytes_;
  Gauge& start_time_;
  Gauge& threads_;
};

}  // namespace

void register_process_instruments(Registry& registry, std::string_view version,
                                  std::string_view revision) {
  registry
      .gauge("binnacle_build_info", "A constant 1, labelled by what this binary was built from.",
             {{"version", std::string(version)}, {"revision", std::string(revision)}})
      .set(1);
  // Shared, because std::function must be able to copy what it holds.
  auto process = std::make_shared<ProcessInstruments>(registry);
  registry.before_collect([process] { process->refresh(); });
}

}  // namespace binnacle
