#include "collect/container/container_scan_part.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/process_stat.h"
#include "collect/container/container_labels.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::container {
namespace {

using host::counter;
using host::gauge;
using host::Metric;

constexpr int64_t kScanMs = 10'000;

constexpr std::string_view kWithInterface[] = {"id",  "image",     "name",     "container",
                                               "pod", "namespace", "interface"};
constexpr std::string_view kWithFailure[] = {"id",  "image",     "name",         "container",
                                             "pod", "namespace", "failure_type", "scope"};

constexpr Metric kWorkingSet =
    gauge("container_memory_working_set_bytes", "Current working set in bytes.", kContainerLabels);
constexpr Metric kRss = gauge("container_memory_rss", "Size of RSS in bytes.", kContainerLabels);
constexpr Metric kCache =
    gauge("container_memory_cache", "Number of bytes of page cache memory.", kContainerLabels);
constexpr Metric kMapped = gauge("container_memory_mapped_file",
                                 "Size of memory mapped files in bytes.", kContainerLabels);
constexpr Metric kSwap =
    gauge("container_memory_swap", "Container swap usage in bytes.", kContainerLabels);
constexpr Metric kMaxUsage = gauge("container_memory_max_usage_bytes",
                                   "Maximum memory usage recorded in bytes", kContainerLabels);
constexpr Metric kFailCount =
    counter("container_memory_failcnt", "Number of memory usage hits limits", kContainerLabels);
constexpr Metric kFailures =
    counter("container_memory_failures_total", "Cumulative count of memory allocation failures.",
            kWithFailure);
constexpr Metric kOomEvents =
    counter("container_oom_events_total",
            "Count of out of memory events observed for the container", kContainerLabels);
constexpr Metric kProcesses = gauge(
    "container_processes", "Number of processes running inside the container.", kContainerLabels);
constexpr Metric kThreads =
    gauge("container_threads", "Number of threads running inside the container", kContainerLabels);
constexpr Metric kMaxThreads =
    gauge("container_threads_max",
          "Maximum number of threads allowed inside the container, infinity if value is zero",
          kContainerLabels);
constexpr Metric kLastSeen = gauge(
    "container_last_seen", "Last time a container was seen by the exporter", kContainerLabels);
constexpr Metric kStartTime =
    gauge("container_start_time_seconds",
          "Start time of the container since unix epoch in seconds.", kContainerLabels);
constexpr Metric kCpuPeriod =
    gauge("container_spec_cpu_period", "CPU period of the container.", kContainerLabels);
constexpr Metric kCpuQuota =
    gauge("container_spec_cpu_quota", "CPU quota of the container.", kContainerLabels);
constexpr Metric kCpuShares =
    gauge("container_spec_cpu_shares", "CPU share of the container.", kContainerLabels);
constexpr Metric kMemoryLimit =
    gauge("container_spec_memory_limit_bytes", "Memory limit for the container.", kContainerLabels);
constexpr Metric kSwapLimit = gauge("container_spec_memory_swap_limit_bytes",
                                    "Memory swap limit for the container.", kContainerLabels);
constexpr Metric kReservation =
    gauge("container_spec_memory_reservation_limit_bytes",
          "Memory reservation limit for the container.", kContainerLabels);
constexpr Metric kLeftOut =
    gauge("binnacle_containers_left_out",
          "Containers beyond collect.container.max_containers that are not told of.");

// Of /proc/<pid>/net/dev, by column.
struct Traffic {
  size_t column;
  Metric metric;
};
constexpr Traffic kTraffic[] = {
    {0, counter("container_network_receive_bytes_total", "Cumulative count of bytes received",
                kWithInterface)},
    {1, counter("container_network_receive_packets_total", "Cumulative count of packets received",
                kWithInterface)},
    {2, counter("container_network_receive_errors_total",
                "Cumulative count of errors encountered while receiving", kWithInterface)},
    {3, counter("container_network_receive_packets_dropped_total",
                "Cumulative count of packets dropped while receiving", kWithInterface)},
    {8, counter("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted",
                kWithInterface)},
    {9, counter("container_network_transmit_packets_total",
                "Cumulative count of packets transmitted", kWithInterface)},
    {10, counter("container_network_transmit_errors_total",
                 "Cumulative count of errors encountered while transmitting", kWithInterface)},
    {11, counter("container_network_transmit_packets_dropped_total",
                 "Cumulative count of packets dropped while transmitting", kWithInterface)},
};
constexpr size_t kMaxInterfaces = 32;
constexpr size_t kNetDevHeading = 2;
constexpr double kUnlimitedBytes = 9e18;  // what version 1 writes for no limit is near 2^63
constexpr size_t kMaxChildrenForPid = 8;

// The number of the line that begins with that key.
std::optional<double> value_of(std::string_view text, std::string_view key) {
  std::string_view line;
  while (host::next_line(text, line)) {
    if (host::next_field(line) == key) return host::parse_number(host::next_field(line));
  }
  return std::nullopt;
}

class ScanPart final : public host::Part {
 public:
  ScanPart(FileSystem& files, const Clock& clock, const CgroupTree& tree, std::string proc_path,
           ContainerList list, std::shared_ptr<ContainerBoard> board)
      : files_(files),
        clock_(clock),
        tree_(tree),
        proc_path_(std::move(proc_path)),
        list_(std::move(list)),
        board_(std::move(board)) {}

  std::string_view name() const override { return "container_scan"; }
  int64_t period_ms() const override { return kScanMs; }

  Status collect(host::Emitter& emitter) override {
    TRY(list_.scan());
    board_->publish(std::make_shared<const std::vector<ContainerRef>>(list_.containers()));
    host_network_ = files_.read_link(proc_path_ + "/1/ns/net").value_or("");
    networks_.clear();
    for (const ContainerRef& container : list_.containers()) tell(*container, emitter);
    std::erase_if(started_, [&](const auto& entry) {
      return std::ranges::none_of(list_.containers(), [&](const ContainerRef& container) {
        return container->cgroup == entry.first;
      });
    });
    emitter.emit(kLeftOut, static_cast<double>(list_.left_out()));
    return {};
  }

 private:
  std::optional<std::string> text(std::string_view controller, const Container& of,
                                  std::string_view name) const {
    auto read = host::read_small_file(files_, tree_.file(controller, of.cgroup, name));
    if (!read) return std::nullopt;  // that controller is off, or the container ended
    return std::move(*read);
  }
  std::optional<double> number(std::string_view controller, const Container& of,
                               std::string_view name) const {
    const auto read = text(controller, of, name);
    return read ? host::parse_number(*read) : std::nullopt;
  }

  void tell(const Container& container, host::Emitter& emitter) {
    LabelRow labels(container);
    const auto emit = [&](const Metric& metric, std::optional<double> value) {
      if (value) emitter.emit(metric, labels.plain(), *value);
    };
    emit(kLastSeen, static_cast<double>(clock_.wall_ms() / 1000));
    if (tree_.version == 2) {
      tell_v2(container, labels, emitter, emit);
    } else {
      tell_v1(container, labels, emitter, emit);
    }
    const std::string procs = text("pids", container, "cgroup.procs").value_or("");
    emit(kProcesses, procs.empty() ? 0 : static_cast<double>(std::ranges::count(procs, '\n') + 1));
    emit(kThreads, number("pids", container, "pids.current"));
    // "max" is no number, and stands for no limit.
    if (const auto max = text("pids", container, "pids.max")) {
      emit(kMaxThreads, host::parse_number(*max).value_or(0));
    }
    const std::string pid = container.cgroup == "/" ? "" : first_pid(container.cgroup, 0);
    if (pid.empty()) return;
    emit(kStartTime, start_time(container.cgroup, pid));
    const bool in_pod =
        container.path.kind == CgroupPath::Kind::kContainer && !container.path.pod_uid.empty();
    // The containers of a pod share its network, which is told once, with the pod.
    if (!in_pod) tell_network(pid, labels, emitter);
  }

  void tell_v2(const Container& of, LabelRow& labels, host::Emitter& emitter, const auto& emit) {
    if (const auto stat = text("", of, "memory.stat"); stat && of.cgroup != "/") {
      emit(kRss, value_of(*stat, "anon"));
      emit(kCache, value_of(*stat, "file"));
      emit(kMapped, value_of(*stat, "file_mapped"));
      emit_working_set(number("", of, "memory.current"), value_of(*stat, "inactive_file"), emit);
      emit_faults(*stat, labels, emitter);
    }
    emit(kSwap, number("", of, "memory.swap.current"));
    emit(kMaxUsage, number("", of, "memory.peak"));
    if (const auto events = text("", of, "memory.events")) {
      emit(kFailCount, value_of(*events, "max"));
      emit(kOomEvents, value_of(*events, "oom_kill"));
    }
    emit_limit(kMemoryLimit, text("", of, "memory.max"), emit);
    emit_limit(kSwapLimit, text("", of, "memory.swap.max"), emit);
    emit_limit(kReservation, text("", of, "memory.low"), emit);
    if (const auto max = text("", of, "cpu.max")) {
      std::string_view rest = *max;  // "max 100000" or "50000 100000"
      const auto quota = host::parse_number(host::next_field(rest));
      emit(kCpuPeriod, host::parse_number(host::next_field(rest)));
      if (quota) emit(kCpuQuota, quota);
    }
    if (const auto weight = number("", of, "cpu.weight")) {
      // From 1..10000 back to the shares of version 1, 2..262144, as runtimes convert them.
      emit(kCpuShares,
           2 + static_cast<double>(static_cast<int64_t>((*weight - 1) * 262142 / 9999)));
    }
  }

  void tell_v1(const Container& of, LabelRow& labels, host::Emitter& emitter, const auto& emit) {
    if (const auto stat = text("memory", of, "memory.stat")) {
      const auto total = [&](const char* key, const char* own) {
        const auto value = value_of(*stat, key);
        return value ? value : value_of(*stat, own);
      };
      emit(kRss, total("total_rss", "rss"));
      emit(kCache, total("total_cache", "cache"));
      emit(kMapped, total("total_mapped_file", "mapped_file"));
      emit(kSwap, total("total_swap", "swap"));
      emit_working_set(number("memory", of, "memory.usage_in_bytes"),
                       total("total_inactive_file", "inactive_file"), emit);
      emit_faults(*stat, labels, emitter);
    }
    emit(kMaxUsage, number("memory", of, "memory.max_usage_in_bytes"));
    emit(kFailCount, number("memory", of, "memory.failcnt"));
    if (const auto oom = text("memory", of, "memory.oom_control")) {
      emit(kOomEvents, value_of(*oom, "oom_kill"));
    }
    emit_limit(kMemoryLimit, text("memory", of, "memory.limit_in_bytes"), emit);
    emit_limit(kSwapLimit, text("memory", of, "memory.memsw.limit_in_bytes"), emit);
    emit_limit(kReservation, text("memory", of, "memory.soft_limit_in_bytes"), emit);
    emit(kCpuPeriod, number("cpu", of, "cpu.cfs_period_us"));
    if (const auto quota = number("cpu", of, "cpu.cfs_quota_us"); quota && *quota > 0) {
      emit(kCpuQuota, quota);
    }
    emit(kCpuShares, number("cpu", of, "cpu.shares"));
  }

  static void emit_working_set(std::optional<double> usage, std::optional<double> inactive,
                               const auto& emit) {
    if (usage) emit(kWorkingSet, std::max(*usage - inactive.value_or(0), 0.0));
  }

  // As cAdvisor has it, 0 is no limit.
  static void emit_limit(const Metric& metric, const std::optional<std::string>& text,
                         const auto& emit) {
    if (!text) return;
    const double value = host::parse_number(*text).value_or(0);
    emit(metric, value >= kUnlimitedBytes ? 0 : value);
  }

  static void emit_faults(std::string_view stat, LabelRow& labels, host::Emitter& emitter) {
    for (const std::string_view type : {"pgfault", "pgmajfault"}) {
      const auto value = value_of(stat, type);
      if (value) emitter.emit(kFailures, labels.with(type, "container"), *value);
    }
  }

  // Any process of it, or of a group below: systemd in a container puts all into such.
  std::string first_pid(const std::string& cgroup, int depth) const {
    const char* const controller = "memory";
    const auto procs =
        host::read_small_file(files_, tree_.file(controller, cgroup, "cgroup.procs"));
    if (procs && !procs->empty()) return procs->substr(0, procs->find('\n'));
    constexpr int kMaxBelow = 2;
    if (depth >= kMaxBelow) return {};
    std::string folder = tree_.file(controller, cgroup, "");
    folder.pop_back();
    const auto entries = files_.list(folder);
    if (!entries) return {};
    size_t looked = 0;
    for (const DirEntry& entry : *entries) {
      if (!entry.is_directory || ++looked > kMaxChildrenForPid) continue;
      std::string pid = first_pid(cgroup + "/" + entry.name, depth + 1);
      if (!pid.empty()) return pid;
    }
    return {};
  }

  // Of the first process that was seen in it; its processes may come and go.
  std::optional<double> start_time(const std::string& cgroup, const std::string& pid) {
    if (const auto found = started_.find(cgroup); found != started_.end()) return found->second;
    if (boot_seconds_ == 0) {
      const auto text = files_.read_file(proc_path_ + "/stat");
      boot_seconds_ = text ? value_of(*text, "btime").value_or(0) : 0;
    }
    const auto text = files_.read_file(proc_path_ + "/" + pid + "/stat");
    const auto stat = text ? parse_process_stat(*text) : std::nullopt;
    if (!stat || boot_seconds_ == 0) return std::nullopt;
    const double seconds = boot_seconds_ + static_cast<double>(stat->start_ticks) / kTicksPerSecond;
    return started_[cgroup] = seconds;
  }

  // Only where the container has a network of its own and we may see which.
  void tell_network(const std::string& pid, LabelRow& labels, host::Emitter& emitter) {
    const auto network = files_.read_link(proc_path_ + "/" + pid + "/ns/net");
    if (!network || host_network_.empty() || *network == host_network_) return;
    if (!networks_.insert(*network).second) return;
    const auto text = files_.read_file(proc_path_ + "/" + pid + "/net/dev");
    if (!text) return;
    std::string_view rest = *text;
    std::string_view line;
    for (size_t i = 0; i < kNetDevHeading; ++i) host::next_line(rest, line);
    for (size_t i = 0; i < kMaxInterfaces && host::next_line(rest, line); ++i) {
      const size_t colon = line.rfind(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view interface = host::trim(line.substr(0, colon));
      if (interface == "lo") continue;
      std::string_view fields = line.substr(colon + 1);
      size_t column = 0;
      for (const Traffic& one : kTraffic) {
        for (; column < one.column; ++column) host::next_field(fields);
        ++column;
        const auto value = host::parse_number(host::next_field(fields));
        if (value) emitter.emit(one.metric, labels.with(interface), *value);
      }
    }
  }

  // Fixed after construction.
  FileSystem& files_;
  const Clock& clock_;
  const CgroupTree tree_;
  const std::string proc_path_;

  ContainerList list_;
  const std::shared_ptr<ContainerBoard> board_;  // shared with the tick, on another thread
  std::string host_network_;
  std::set<std::string> networks_;  // told in this scan
  std::unordered_map<std::string, double> started_;
  double boot_seconds_ = 0;
};

}  // namespace

std::unique_ptr<host::Part> container_scan_part(FileSystem& files, const Clock& clock,
                                                const CgroupTree& tree, std::string proc_path,
                                                ContainerList list,
                                                std::shared_ptr<ContainerBoard> board) {
  return std::make_unique<ScanPart>(files, clock, tree, std::move(proc_path), std::move(list),
                                    std::move(board));
}

}  // namespace binnacle::collect::container
