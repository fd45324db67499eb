// Which processes belong to which group. The scan, on the slow thread, reads /proc now and then and
// publishes the members; the tick, on the quick thread, reads only those. Patterns are asked once a
// process, and again now and then for those in no group, because a process may become another
// program.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"
#include "collect/host/process_options.h"
#include "collect/host/scan_board.h"

namespace re2 {
class RE2;
}

namespace binnacle::collect::host {

struct GroupMember {
  int64_t pid = 0;
  size_t group = 0;
  // It began after the scan before: all that it has used counts. Of others only what they use from
  // now on, or a restart of ours would tell all of it again.
  bool fresh = false;
};

using MemberBoard = ScanBoard<GroupMember>;

class GroupRules {
 public:
  static Result<GroupRules> create(const std::vector<ProcessGroup>& groups);
  GroupRules(GroupRules&&) noexcept;
  ~GroupRules();

  static constexpr size_t kNone = SIZE_MAX;
  size_t match(std::string_view command_line) const;
  size_t size() const { return names_.size(); }
  const std::string& name(size_t group) const { return names_[group]; }

 private:
  GroupRules();
  std::vector<std::string> names_;
  struct Rule {
    size_t group;
    std::unique_ptr<re2::RE2> pattern;
  };
  std::vector<Rule> rules_;
};

// One thread.
class ProcessRoster {
 public:
  ProcessRoster(const Source& source, const GroupRules& rules, size_t max_processes);

  // Looks at /proc once. Processes that went and came are told by the getters.
  Status scan();

  const std::vector<GroupMember>& members() const { return members_; }
  double restarts(size_t group) const { return groups_[group].restarts; }
  size_t left_out() const { return left_out_; }  // beyond max_processes in the last scan

 private:
  struct Process {
    size_t group = GroupRules::kNone;
    uint64_t command_hash = 0;
    int64_t parent = 0;
    uint32_t looks = 0;
    uint64_t seen_in_scan = 0;
    bool fresh = false;
  };
  struct Group {
    std::map<uint64_t, size_t> ended;  // first processes that ended, by command line
    double restarts = 0;
  };

  void look_at(int64_t pid, Process& process);
  bool due_again(int64_t pid, const Process& process) const;
  bool leads(const Process& process) const;  // its parent stands outside its group
  void note_ends();
  void note_start(Process& process);

  // Fixed after construction.
  const Source source_;
  const GroupRules& rules_;
  const size_t max_processes_;

  std::unordered_map<int64_t, Process> processes_;
  std::vector<Group> groups_;
  std::vector<GroupMember> members_;
  size_t left_out_ = 0;
  uint64_t scan_ = 0;
};

}  // namespace binnacle::collect::host
