#include "collect/host/linux/process_roster.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/process_stat.h"

namespace binnacle::collect::host {
namespace {

constexpr size_t kMaxKnown = 65'536;
constexpr size_t kMaxEndedPerGroup = 64;
// A process in no group is looked at in its first scans, while a shell may yet become what it
// starts, and then every so many scans.
constexpr uint32_t kFirstLooks = 3;
constexpr uint64_t kScansBetweenLooks = 16;

}  // namespace

GroupRules::GroupRules() = default;
GroupRules::GroupRules(GroupRules&&) noexcept = default;
GroupRules::~GroupRules() = default;

Result<GroupRules> GroupRules::create(const std::vector<ProcessGroup>& groups) {
  GroupRules rules;
  for (const ProcessGroup& group : groups) {
    auto pattern = std::make_unique<re2::RE2>(group.pattern, re2::RE2::Quiet);
    if (!pattern->ok()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("process group {}: pattern is not RE2: {} ({})", group.name,
                              pattern->error(), group.pattern));
    }
    const auto known = std::ranges::find(rules.names_, group.name);
    const auto index = static_cast<size_t>(known - rules.names_.begin());
    if (known == rules.names_.end()) rules.names_.push_back(group.name);
    rules.rules_.push_back({index, std::move(pattern)});
  }
  return rules;
}

size_t GroupRules::match(std::string_view command_line) const {
  const re2::StringPiece text(command_line.data(), command_line.size());
  for (const Rule& rule : rules_) {
    if (re2::RE2::PartialMatch(text, *rule.pattern)) return rule.group;
  }
  return kNone;
}

ProcessRoster::ProcessRoster(const Source& source, const GroupRules& rules, size_t max_processes)
    : source_(source), rules_(rules), max_processes_(max_processes), groups_(rules.size()) {}

Status ProcessRoster::scan() {
  TRY_ASSIGN(const auto entries, source_.files.list(source_.proc_path));
  ++scan_;
  std::vector<int64_t> came;
  for (const DirEntry& entry : entries) {
    if (!is_pid(entry.name)) continue;
    const int64_t pid = parse_integer(entry.name).value_or(0);
    const auto found = processes_.find(pid);
    if (found == processes_.end() && processes_.size() >= kMaxKnown) continue;
    Process& process = found == processes_.end() ? processes_[pid] : found->second;
    if (found == processes_.end()) process.fresh = scan_ > 1;
    process.seen_in_scan = scan_;
    if (!due_again(pid, process)) continue;
    look_at(pid, process);
    if (process.group != GroupRules::kNone) came.push_back(pid);
  }
  note_ends();
  for (const int64_t pid : came) note_start(processes_[pid]);
  members_.clear();
  left_out_ = 0;
  for (const auto& [pid, process] : processes_) {
    if (process.group == GroupRules::kNone) continue;
    if (members_.size() >= max_processes_) {
      ++left_out_;
    } else {
      members_.push_back({pid, process.group, process.fresh});
    }
  }
  std::ranges::sort(members_, {}, &GroupMember::pid);
  return {};
}

bool ProcessRoster::due_again(int64_t pid, const Process& process) const {
  if (process.group != GroupRules::kNone) return false;
  return process.looks < kFirstLooks ||
         (static_cast<uint64_t>(pid) + scan_) % kScansBetweenLooks == 0;
}

// Whatever cannot be read has ended since, or is none of our business.
void ProcessRoster::look_at(int64_t pid, Process& process) {
  ++process.looks;
  const std::string folder = source_.proc(std::to_string(pid));
  auto raw = source_.files.read_file(folder + "/cmdline");
  if (!raw || raw->empty()) return;  // empty: a thread of the kernel
  const std::string command = command_line(std::move(*raw));
  const size_t group = rules_.match(command);
  if (group == GroupRules::kNone) return;
  const auto text = source_.files.read_file(folder + "/stat");
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  if (!stat) return;
  process.group = group;
  process.fresh = process.fresh && process.looks <= kFirstLooks;
  process.parent = stat->parent;
  process.command_hash = std::hash<std::string_view>{}(command);
}

bool ProcessRoster::leads(const Process& process) const {
  const auto parent = processes_.find(process.parent);
  return parent == processes_.end() || parent->second.group != process.group;
}

void ProcessRoster::note_ends() {
  std::vector<int64_t> gone;
  for (const auto& [pid, process] : processes_) {
    if (process.seen_in_scan == scan_) continue;
    gone.push_back(pid);
    if (process.group == GroupRules::kNone || !leads(process)) continue;
    auto& ended = groups_[process.group].ended;
    if (ended.size() < kMaxEndedPerGroup || ended.contains(process.command_hash)) {
      ++ended[process.command_hash];
    }
  }
  for (const int64_t pid : gone) processes_.erase(pid);
}

// A restart: the first process of a program ended, and another with the same command line began.
// Its children, which may come and go as it works, are not told.
void ProcessRoster::note_start(Process& process) {
  if (!leads(process)) return;
  Group& group = groups_[process.group];
  const auto ended = group.ended.find(process.command_hash);
  if (ended == group.ended.end()) return;
  ++group.restarts;
  if (--ended->second == 0) group.ended.erase(ended);
}

}  // namespace binnacle::collect::host
