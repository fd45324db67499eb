// process_* as Prometheus' own client libraries name them, read from /proc/self.
#include "base/file_system.h"
#include "base/instruments.h"

#include <sys/resource.h>
#include <unistd.h>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

namespace binnacle {
namespace {

// Numbers as proc(5) counts the fields of /proc/PID/stat.
constexpr int kFirstFieldAfterName = 3;
constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kThreads = 20;
constexpr int kStartTicks = 22;
constexpr int kVirtualBytes = 23;
constexpr int kResidentPages = 24;

std::optional<double> leading_number(std::string_view text) {
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return {};
  return value;
}

class ProcessStat {
 public:
  // The name, in parentheses, may hold blanks and parentheses of its own.
  explicit ProcessStat(std::string text)
      : text_(std::move(text)), fields_(std::string_view(text_).substr(name_end())) {}
  ProcessStat(const ProcessStat&) = delete;
  ProcessStat& operator=(const ProcessStat&) = delete;

  double field(int number) const {
    std::string_view rest = fields_;
    for (int i = kFirstFieldAfterName; i < number && !rest.empty(); ++i) {
      rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
    }
    return leading_number(rest).value_or(0);
  }

 private:
  size_t name_end() const {
    const size_t end = text_.rfind(") ");
    return end == std::string::npos ? text_.size() : end + 2;
  }

  const std::string text_;
  const std::string_view fields_;
};

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
    if (auto text = files_.read_file("/proc/self/stat")) read_stat(ProcessStat(std::move(*text)));
    // Counting itself holds one descriptor open. To list them would look at what each points to.
    if (const auto open = files_.count("/proc/self/fd")) {
      open_fds_.set(static_cast<double>(*open) - 1);
    }
    max_fds_.set(soft_limit(RLIMIT_NOFILE));
    max_virtual_bytes_.set(soft_limit(RLIMIT_AS));
  }

 private:
  void read_stat(const ProcessStat& stat) {
    const double cpu = (stat.field(kUserTicks) + stat.field(kSystemTicks)) / ticks_per_second_;
    if (cpu > cpu_seconds_.value()) cpu_seconds_.add(cpu - cpu_seconds_.value());
    virtual_bytes_.set(stat.field(kVirtualBytes));
    resident_bytes_.set(stat.field(kResidentPages) * page_bytes_);
    threads_.set(stat.field(kThreads));
    start_time_.set(boot_time_ + stat.field(kStartTicks) / ticks_per_second_);
  }

  // Fixed after construction. One refresh at a time: the registry sees to it.
  FileSystem& files_ = real_file_system();
  const double ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
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
