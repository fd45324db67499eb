#include "collect/container/container_tick_part.h"

#include <map>
#include <optional>
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

constexpr std::string_view kWithCpu[] = {"id",  "image",     "name", "container",
                                         "pod", "namespace", "cpu"};
constexpr std::string_view kWithDevice[] = {"id",  "image",     "name",  "container",
                                            "pod", "namespace", "device"};

constexpr Metric kUsageSeconds = counter("container_cpu_usage_seconds_total",
                                         "Cumulative cpu time consumed in seconds.", kWithCpu);
constexpr Metric kUserSeconds =
    counter("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.",
            kContainerLabels);
constexpr Metric kSystemSeconds =
    counter("container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.",
            kContainerLabels);
constexpr Metric kPeriods =
    counter("container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.",
            kContainerLabels);
constexpr Metric kThrottledPeriods =
    counter("container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.",
            kContainerLabels);
constexpr Metric kThrottledSeconds =
    counter("container_cpu_cfs_throttled_seconds_total",
            "Total time duration the container has been throttled.", kContainerLabels);
constexpr Metric kMemoryUsage =
    gauge("container_memory_usage_bytes",
          "Current memory usage in bytes, including all memory regardless of when it was accessed",
          kContainerLabels);
constexpr Metric kReadBytes =
    counter("container_fs_reads_bytes_total", "Cumulative count of bytes read", kWithDevice);
constexpr Metric kWrittenBytes =
    counter("container_fs_writes_bytes_total", "Cumulative count of bytes written", kWithDevice);
constexpr Metric kReads =
    counter("container_fs_reads_total", "Cumulative count of reads completed", kWithDevice);
constexpr Metric kWrites =
    counter("container_fs_writes_total", "Cumulative count of writes completed", kWithDevice);

constexpr double kMicro = 1e-6;
constexpr double kNano = 1e-9;
constexpr size_t kMaxDevices = 1024;
// With more containers than that their files are closed after each reading: descriptors are dearer
// than a quarter of a millisecond then.
constexpr size_t kMaxKeptOpen = 64;

// "KEY VALUE" lines; scaled values of those that are wanted.
struct Line {
  std::string_view key;
  Metric metric;
  double scale;
};
constexpr Line kCpuLinesV2[] = {
    {"user_usec", kUserSeconds, kMicro},
    {"system_usec", kSystemSeconds, kMicro},
    {"nr_periods", kPeriods, 1},
    {"nr_throttled", kThrottledPeriods, 1},
    {"throttled_usec", kThrottledSeconds, kMicro},
};
constexpr Line kCpuLinesV1[] = {
    {"nr_periods", kPeriods, 1},
    {"nr_throttled", kThrottledPeriods, 1},
    {"throttled_time", kThrottledSeconds, kNano},
};
constexpr Line kCpuAcctLines[] = {
    {"user", kUserSeconds, 1 / kTicksPerSecond},
    {"system", kSystemSeconds, 1 / kTicksPerSecond},
};

// Of "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ..." and of "8:0 Read 1".
const Metric* io_metric_v2(std::string_view key) {
  if (key == "rbytes") return &kReadBytes;
  if (key == "wbytes") return &kWrittenBytes;
  if (key == "rios") return &kReads;
  if (key == "wios") return &kWrites;
  return nullptr;
}

class TickPart final : public host::Part {
 public:
  TickPart(FileSystem& files, CgroupTree tree, std::string sys_path,
           std::shared_ptr<ContainerBoard> board)
      : files_(files),
        tree_(std::move(tree)),
        sys_path_(std::move(sys_path)),
        board_(std::move(board)) {}

  std::string_view name() const override { return "containers"; }

  Status collect(host::Emitter& emitter) override {
    const auto list = board_->current();
    if (list == nullptr) return {};  // the first scan is under way
    if (list != followed_) follow(list);
    host::Faults faults;
    for (auto& [cgroup, reader] : readers_) {
      if (tree_.version == 2) {
        read_v2(reader, emitter, faults);
      } else {
        read_v1(reader, emitter, faults);
      }
      if (readers_.size() > kMaxKeptOpen) reader.close();
    }
    return faults.take();
  }

 private:
  struct Reader {
    ContainerRef container;
    std::vector<host::KernelFile> files;
    uint64_t generation = 0;
    void close() {
      for (auto& file : files) file.close();
    }
  };
  enum FileV2 : uint8_t { kCpuStat, kMemoryCurrent, kIoStat };
  enum FileV1 : uint8_t { kCpuAcctUsage, kCpuAcctStat, kCpuStatV1, kMemory, kIoBytes, kIoCount };

  void follow(const ContainerBoard::List& list) {
    ++generation_;
    for (const ContainerRef& container : *list) {
      Reader& reader = readers_[container->cgroup];
      if (reader.files.empty()) open(reader, container->cgroup);
      reader.container = container;
      reader.generation = generation_;
    }
    std::erase_if(readers_, [&](const auto& at) { return at.second.generation != generation_; });
    followed_ = list;
  }

  void open(Reader& reader, const std::string& cgroup) {
    const auto add = [&](std::string_view controller, std::string_view name) {
      reader.files.emplace_back(files_, tree_.file(controller, cgroup, name), buffer_);
    };
    if (tree_.version == 2) {
      add("", "cpu.stat");
      add("", "memory.current");
      add("", "io.stat");
      return;
    }
    add("cpuacct", "cpuacct.usage");
    add("cpuacct", "cpuacct.stat");
    add("cpu", "cpu.stat");
    add("memory", "memory.usage_in_bytes");
    add("blkio", "blkio.throttle.io_service_bytes");
    add("blkio", "blkio.throttle.io_serviced");
  }

  // Nothing where the file is not there: a controller that is off, or a container that just ended.
  static std::optional<std::string_view> read(host::KernelFile& file, host::Faults& faults) {
    auto text = file.read_if_offered();
    if (text) return *text;
    // A file of a control group that was removed while it was open.
    if (text.error().message.find("No such device") == std::string::npos) {
      faults.add(fail(std::move(text).error()));
    }
    return std::nullopt;
  }

  void read_v2(Reader& reader, host::Emitter& emitter, host::Faults& faults) {
    LabelRow labels(*reader.container);
    if (const auto text = read(reader.files[kCpuStat], faults)) {
      emit_lines(*text, kCpuLinesV2, labels, emitter);
      std::string_view rest = *text;
      std::string_view line;
      while (host::next_line(rest, line)) {
        if (host::next_field(line) != "usage_usec") continue;
        emit_number(kUsageSeconds, line, kMicro, labels.with("total"), emitter);
        break;
      }
    }
    if (const auto text = read(reader.files[kMemoryCurrent], faults)) {
      emit_number(kMemoryUsage, *text, 1, labels.plain(), emitter);
    }
    if (const auto text = read(reader.files[kIoStat], faults)) emit_io_v2(*text, labels, emitter);
  }

  void read_v1(Reader& reader, host::Emitter& emitter, host::Faults& faults) {
    LabelRow labels(*reader.container);
    if (const auto text = read(reader.files[kCpuAcctUsage], faults)) {
      emit_number(kUsageSeconds, *text, kNano, labels.with("total"), emitter);
    }
    if (const auto text = read(reader.files[kCpuAcctStat], faults)) {
      emit_lines(*text, kCpuAcctLines, labels, emitter);
    }
    if (const auto text = read(reader.files[kCpuStatV1], faults)) {
      emit_lines(*text, kCpuLinesV1, labels, emitter);
    }
    if (const auto text = read(reader.files[kMemory], faults)) {
      emit_number(kMemoryUsage, *text, 1, labels.plain(), emitter);
    }
    if (const auto text = read(reader.files[kIoBytes], faults)) {
      emit_io_v1(*text, kReadBytes, kWrittenBytes, labels, emitter);
    }
    if (const auto text = read(reader.files[kIoCount], faults)) {
      emit_io_v1(*text, kReads, kWrites, labels, emitter);
    }
  }

  static void emit_number(const Metric& metric, std::string_view text, double scale,
                          std::span<const std::string_view> labels, host::Emitter& emitter) {
    if (const auto value = host::parse_number(host::trim(text))) {
      emitter.emit(metric, labels, *value * scale);
    }
  }

  // Without a quota there are no periods, and then nothing is told of them.
  static void emit_lines(std::string_view text, std::span<const Line> wanted, LabelRow& labels,
                         host::Emitter& emitter) {
    std::string_view line;
    bool has_quota = false;
    while (host::next_line(text, line)) {
      const std::string_view key = host::next_field(line);
      const auto value = host::parse_number(host::next_field(line));
      if (!value) continue;
      for (const Line& one : wanted) {
        if (one.key != key) continue;
        if (key == "nr_periods") has_quota = *value > 0;
        const bool of_quota = key.starts_with("nr_") || key.starts_with("throttled");
        if (!of_quota || has_quota) emitter.emit(one.metric, labels.plain(), *value * one.scale);
      }
    }
  }

  void emit_io_v2(std::string_view text, LabelRow& labels, host::Emitter& emitter) {
    std::string_view line;
    while (host::next_line(text, line)) {
      const std::string_view device = device_name(host::next_field(line));
      for (std::string_view field = host::next_field(line); !field.empty();
           field = host::next_field(line)) {
        const size_t equals = field.find('=');
        if (equals == std::string_view::npos) continue;
        const Metric* const metric = io_metric_v2(field.substr(0, equals));
        const auto value = host::parse_number(field.substr(equals + 1));
        if (metric != nullptr && value) emitter.emit(*metric, labels.with(device), *value);
      }
    }
  }

  void emit_io_v1(std::string_view text, const Metric& reads, const Metric& writes,
                  LabelRow& labels, host::Emitter& emitter) {
    std::string_view line;
    while (host::next_line(text, line)) {
      const std::string_view number = host::next_field(line);
      const std::string_view what = host::next_field(line);
      const auto value = host::parse_number(host::next_field(line));
      if (!value || (what != "Read" && what != "Write")) continue;
      emitter.emit(what == "Read" ? reads : writes, labels.with(device_name(number)), *value);
    }
  }

  // "/dev/sda" of "8:0"; the number where sysfs does not tell.
  std::string_view device_name(std::string_view number) {
    if (const auto found = devices_.find(number); found != devices_.end()) return found->second;
    if (devices_.size() >= kMaxDevices) return number;
    std::string name(number);
    const auto uevent = host::read_small_file(files_, sys_path_ + "/dev/block/" + name + "/uevent");
    constexpr std::string_view kKey = "DEVNAME=";
    if (uevent) {
      std::string_view rest = *uevent;
      std::string_view line;
      while (host::next_line(rest, line)) {
        if (!line.starts_with(kKey)) continue;
        name = "/dev/";
        name += line.substr(kKey.size());
      }
    }
    return devices_.emplace(std::string(number), std::move(name)).first->second;
  }

  // Fixed after construction.
  FileSystem& files_;
  const CgroupTree tree_;
  const std::string sys_path_;
  const std::shared_ptr<ContainerBoard> board_;  // shared with the scan, on another thread

  host::KernelBuffer buffer_;
  std::unordered_map<std::string, Reader> readers_;
  std::map<std::string, std::string, std::less<>> devices_;
  ContainerBoard::List followed_;
  uint64_t generation_ = 0;
};

}  // namespace

std::unique_ptr<host::Part> container_tick_part(FileSystem& files, CgroupTree tree,
                                                std::string sys_path,
                                                std::shared_ptr<ContainerBoard> board) {
  return std::make_unique<TickPart>(files, std::move(tree), std::move(sys_path), std::move(board));
}

}  // namespace binnacle::collect::container
