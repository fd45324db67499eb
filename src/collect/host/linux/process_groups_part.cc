// Groups of processes, under the names of process-exporter. Two parts: the tick reads
// /proc/<pid>/stat of the members, each some 5 us; the scan, now and then, finds the members and
// reads what costs more (io, status, the number of descriptors). What a process used stays in its
// group's counters when it ends.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/process_stat.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/process_roster.h"

namespace binnacle::collect::host {
namespace {

constexpr int64_t kScanMs = 5000;
// Beyond that the members' files are opened for each reading, which costs a third more: the process
// may hold only so many descriptors.
constexpr size_t kMaxKeptOpen = 128;

constexpr std::string_view kGroup[] = {"groupname"};
constexpr std::string_view kGroupMode[] = {"groupname", "mode"};
constexpr std::string_view kGroupMemory[] = {"groupname", "memtype"};
constexpr std::string_view kGroupState[] = {"groupname", "state"};
constexpr std::string_view kGroupSwitch[] = {"groupname", "ctxswitchtype"};

constexpr Metric kProcesses =
    gauge("namedprocess_namegroup_num_procs", "number of processes in this group", kGroup);
constexpr Metric kThreads =
    gauge("namedprocess_namegroup_num_threads", "Number of threads", kGroup);
constexpr Metric kCpuSeconds =
    counter("namedprocess_namegroup_cpu_seconds_total", "Cpu user usage in seconds", kGroupMode);
constexpr Metric kMemoryBytes =
    gauge("namedprocess_namegroup_memory_bytes", "number of bytes of memory in use", kGroupMemory);
constexpr Metric kStates =
    gauge("namedprocess_namegroup_states",
          "Number of processes in states Running, Sleeping, Waiting, Zombie, "
          "or Other",
          kGroupState);
constexpr Metric kMajorFaults =
    counter("namedprocess_namegroup_major_page_faults_total", "Major page faults", kGroup);
constexpr Metric kMinorFaults =
    counter("namedprocess_namegroup_minor_page_faults_total", "Minor page faults", kGroup);
constexpr Metric kOldestStart =
    gauge("namedprocess_namegroup_oldest_start_time_seconds",
          "start time in seconds since 1970/01/01 of oldest process in group", kGroup);

constexpr Metric kReadBytes = counter("namedprocess_namegroup_read_bytes_total",
                                      "number of bytes read by this group", kGroup);
constexpr Metric kWriteBytes = counter("namedprocess_namegroup_write_bytes_total",
                                       "number of bytes written by this group", kGroup);
constexpr Metric kSwitches =
    counter("namedprocess_namegroup_context_switches_total", "Context switches", kGroupSwitch);
constexpr Metric kOpenFiles = gauge("namedprocess_namegroup_open_filedesc",
                                    "number of open file descriptors for this group", kGroup);
constexpr Metric kWorstFileRatio = gauge(
    "namedprocess_namegroup_worst_fd_ratio",
    "the worst (closest to 1) ratio between open fds and max fds among all procs in this group",
    kGroup);
constexpr Metric kRestarts = counter(
    "binnacle_process_restarts_total",
    "Processes of this group that ended and began again with the same command line.", kGroup);
constexpr Metric kLeftOut =
    gauge("binnacle_process_left_out", "Processes of groups beyond collect.process.max_processes.");

enum State : uint8_t { kRunning, kSleeping, kWaiting, kZombie, kOther, kStateCount };
constexpr std::string_view kStateNames[] = {"Running", "Sleeping", "Waiting", "Zombie", "Other"};

State state_of(std::string_view letter) {
  if (letter == "R") return kRunning;
  if (letter == "S" || letter == "I") return kSleeping;
  if (letter == "D") return kWaiting;
  if (letter == "Z") return kZombie;
  return kOther;
}

// Takes the growth of several counters of a process into those of its group.
template <size_t N>
class Growth {
 public:
  void start_at(const std::array<double, N>& now) { before_ = now; }
  void take(const std::array<double, N>& now, std::array<double, N>& total) {
    for (size_t i = 0; i < N; ++i) total[i] += std::max(now[i] - before_[i], 0.0);
    before_ = now;
  }

 private:
  std::array<double, N> before_ = {};
};

// The members' own state between runs, kept in step with the roster's list.
template <typename Member>
class MemberMap {
 public:
  // `make` is asked for those that are new.
  void follow(const std::vector<GroupMember>& members, auto&& make) {
    ++generation_;
    for (const GroupMember& member : members) {
      auto found = map_.find(member.pid);
      if (found == map_.end() || found->second.group != member.group) {
        if (found != map_.end()) map_.erase(found);
        found = map_.emplace(member.pid, Entry{member.group, 0, make(member)}).first;
      }
      found->second.generation = generation_;
    }
    std::erase_if(map_, [&](const auto& entry) { return entry.second.generation != generation_; });
  }
  void each(auto&& visit) {
    for (auto& [pid, entry] : map_) visit(pid, entry.group, entry.member);
  }

 private:
  struct Entry {
    size_t group;
    uint64_t generation;
    Member member;
  };
  std::unordered_map<int64_t, Entry> map_;
  uint64_t generation_ = 0;
};

// What both parts share: the roster is the scan's, the board stands between them.
struct Shared {
  explicit Shared(GroupRules r) : rules(std::move(r)) {}
  const GroupRules rules;
  MemberBoard board;
};

class GroupTickPart final : public Part {
 public:
  GroupTickPart(const Source& source, std::shared_ptr<Shared> shared)
      : source_(source),
        shared_(std::move(shared)),
        page_bytes_(static_cast<double>(::sysconf(_SC_PAGESIZE))),
        groups_(shared_->rules.size()) {}

  std::string_view name() const override { return "process_groups"; }

  Status collect(Emitter& emitter) override {
    const auto members = shared_->board.current();
    if (members == nullptr) return {};  // the first scan is under way
    if (members != followed_) {
      TRY_ASSIGN(boot_seconds_, read_boot_time());
      members_.follow(*members, [&](const GroupMember& member) { return begin(member); });
      followed_ = members;
    }
    for (Group& group : groups_) group.now = {};
    Faults faults;
    const bool keep_open = members->size() <= kMaxKeptOpen;
    members_.each([&](int64_t, size_t group, Member& member) {
      if (!member.ended) read(member, groups_[group], faults);
      if (!keep_open) member.file.close();
    });
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].seen) emit(shared_->rules.name(i), groups_[i], emitter);
    }
    return faults.take();
  }

 private:
  enum Counter : uint8_t { kUser, kSystem, kMinor, kMajor, kCounters };
  using Totals = std::array<double, kCounters>;
  struct Member {
    KernelFile file;
    Growth<kCounters> growth;
    bool started = false;
    bool ended = false;
  };
  struct Now {
    double processes = 0;
    double threads = 0;
    double resident = 0;
    double virtual_bytes = 0;
    int64_t oldest_ticks = std::numeric_limits<int64_t>::max();
    std::array<double, kStateCount> states = {};
  };
  struct Group {
    bool seen = false;  // once seen a group is told, with 0 processes when there are none
    Totals totals = {};
    Now now;
  };

  Member begin(const GroupMember& member) {
    return {KernelFile(source_.files, source_.proc(std::to_string(member.pid) + "/stat"), buffer_),
            {},
            member.fresh,
            false};
  }

  void read(Member& member, Group& group, Faults& faults) {
    const auto text = member.file.read();
    if (!text) {
      member.ended = true;  // the next scan drops it
      return;
    }
    const auto stat = parse_process_stat(*text);
    if (!stat) return faults.bad(member.file.path(), "the content", trim(*text));
    group.seen = true;
    const Totals totals = {stat->user_ticks, stat->system_ticks, stat->minor_faults,
                           stat->major_faults};
    if (!member.started) member.growth.start_at(totals);
    member.started = true;
    member.growth.take(totals, group.totals);
    ++group.now.processes;
    ++group.now.states[state_of(stat->state)];
    group.now.threads += stat->threads;
    group.now.resident += stat->resident_pages * page_bytes_;
    group.now.virtual_bytes += stat->virtual_bytes;
    group.now.oldest_ticks = std::min(group.now.oldest_ticks, stat->start_ticks);
  }

  void emit(std::string_view name, const Group& group, Emitter& emitter) const {
    const Now& now = group.now;
    emitter.emit(kProcesses, {name}, now.processes);
    emitter.emit(kThreads, {name}, now.threads);
    emitter.emit(kCpuSeconds, {name, "user"}, group.totals[kUser] / kTicksPerSecond);
    emitter.emit(kCpuSeconds, {name, "system"}, group.totals[kSystem] / kTicksPerSecond);
    emitter.emit(kMemoryBytes, {name, "resident"}, now.resident);
    emitter.emit(kMemoryBytes, {name, "virtual"}, now.virtual_bytes);
    emitter.emit(kMinorFaults, {name}, group.totals[kMinor]);
    emitter.emit(kMajorFaults, {name}, group.totals[kMajor]);
    for (size_t i = 0; i < kStateCount; ++i) {
      emitter.emit(kStates, {name, kStateNames[i]}, now.states[i]);
    }
    if (now.processes > 0) {
      emitter.emit(kOldestStart, {name},
                   boot_seconds_ + static_cast<double>(now.oldest_ticks) / kTicksPerSecond);
    }
  }

  Result<double> read_boot_time() const {
    TRY_ASSIGN(const std::string text, source_.files.read_file(source_.proc("stat")));
    std::string_view rest = text;
    std::string_view line;
    while (next_line(rest, line)) {
      if (next_field(line) != "btime") continue;
      if (const auto seconds = parse_number(next_field(line))) return *seconds;
    }
    return fail(Code::kDataLoss, "read " + source_.proc("stat") + ": no boot time (btime)");
  }

  // Fixed after construction.
  const Source source_;
  const std::shared_ptr<Shared> shared_;  // shared with the scan, on another thread
  const double page_bytes_;

  KernelBuffer buffer_;
  double boot_seconds_ = 0;
  MemberBoard::List followed_;
  MemberMap<Member> members_;
  std::vector<Group> groups_;
};

class GroupScanPart final : public Part {
 public:
  GroupScanPart(const Source& source, std::shared_ptr<Shared> shared, size_t max_processes)
      : source_(source),
        shared_(std::move(shared)),
        roster_(source, shared_->rules, max_processes),
        groups_(shared_->rules.size()) {}

  std::string_view name() const override { return "process_scan"; }
  int64_t period_ms() const override { return kScanMs; }

  Status collect(Emitter& emitter) override {
    TRY(roster_.scan());
    shared_->board.publish(std::make_shared<const std::vector<GroupMember>>(roster_.members()));
    members_.follow(roster_.members(),
                    [](const GroupMember& member) { return Member{.started = member.fresh}; });
    for (Group& group : groups_) group.now = {};
    members_.each(
        [&](int64_t pid, size_t group, Member& member) { read(pid, member, groups_[group]); });
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].seen) emit(i, emitter);
    }
    emitter.emit(kLeftOut, static_cast<double>(roster_.left_out()));
    return {};
  }

 private:
  enum Counter : uint8_t { kRead, kWritten, kVoluntary, kForced, kCounters };
  using Totals = std::array<double, kCounters>;
  struct Member {
    Growth<kCounters> growth = {};
    bool started = false;
  };
  struct Now {
    double open_files = 0;
    double worst_ratio = 0;
    double swapped = 0;
  };
  struct Group {
    bool seen = false;
    bool reads_io = false;  // another user's processes tell only root
    bool reads_files = false;
    Totals totals = {};
    Now now;
  };

  // "read_bytes: 5", "VmSwap:   12 kB": the first number after the key at a line's beginning.
  static std::optional<double> number_after(std::string_view text, std::string_view key) {
    std::string_view line;
    while (next_line(text, line)) {
      if (!line.starts_with(key)) continue;
      line.remove_prefix(key.size());
      return parse_number(next_field(line));
    }
    return std::nullopt;
  }

  void read(int64_t pid, Member& member, Group& group) {
    const std::string folder = source_.proc(std::to_string(pid));
    const auto status = source_.files.read_file(folder + "/status");
    if (!status) return;  // it ended since
    group.seen = true;
    Totals totals = {};
    totals[kVoluntary] = number_after(*status, "voluntary_ctxt_switches:").value_or(0);
    totals[kForced] = number_after(*status, "nonvoluntary_ctxt_switches:").value_or(0);
    group.now.swapped += number_after(*status, "VmSwap:").value_or(0) * 1024;
    if (const auto io = source_.files.read_file(folder + "/io")) {
      group.reads_io = true;
      totals[kRead] = number_after(*io, "read_bytes:").value_or(0);
      totals[kWritten] = number_after(*io, "write_bytes:").value_or(0);
    }
    if (!member.started) member.growth.start_at(totals);
    member.started = true;
    member.growth.take(totals, group.totals);
    read_files(folder, group);
  }

  void read_files(const std::string& folder, Group& group) {
    const auto open = source_.files.count(folder + "/fd");
    if (!open) return;
    group.reads_files = true;
    group.now.open_files += static_cast<double>(*open);
    const auto limits = source_.files.read_file(folder + "/limits");
    const auto max = limits ? number_after(*limits, "Max open files") : std::nullopt;
    if (!max || *max <= 0) return;
    group.now.worst_ratio = std::max(group.now.worst_ratio, static_cast<double>(*open) / *max);
  }

  void emit(size_t index, Emitter& emitter) const {
    const std::string_view name = shared_->rules.name(index);
    const Group& group = groups_[index];
    if (group.reads_io) {
      emitter.emit(kReadBytes, {name}, group.totals[kRead]);
      emitter.emit(kWriteBytes, {name}, group.totals[kWritten]);
    }
    if (group.reads_files) {
      emitter.emit(kOpenFiles, {name}, group.now.open_files);
      emitter.emit(kWorstFileRatio, {name}, group.now.worst_ratio);
    }
    emitter.emit(kSwitches, {name, "voluntary"}, group.totals[kVoluntary]);
    emitter.emit(kSwitches, {name, "nonvoluntary"}, group.totals[kForced]);
    emitter.emit(kMemoryBytes, {name, "swapped"}, group.now.swapped);
    emitter.emit(kRestarts, {name}, roster_.restarts(index));
  }

  // Fixed after construction.
  const Source source_;
  const std::shared_ptr<Shared> shared_;  // shared with the tick, on another thread

  ProcessRoster roster_;
  MemberMap<Member> members_;
  std::vector<Group> groups_;
};

}  // namespace

Result<Parts> process_group_parts(const Source& source, const ProcessOptions& options) {
  TRY_ASSIGN(GroupRules rules, GroupRules::create(options.groups));
  const auto shared = std::make_shared<Shared>(std::move(rules));
  Parts parts;
  // The scan first, so that the first run of both tells all.
  parts.push_back(std::make_unique<GroupScanPart>(source, shared, options.max_processes));
  parts.push_back(std::make_unique<GroupTickPart>(source, shared));
  return parts;
}

}  // namespace binnacle::collect::host
