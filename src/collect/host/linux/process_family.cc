#include "collect/host/linux/process_family.h"

#include <unordered_map>
#include <vector>

#include "base/process_stat.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {
namespace {

struct Member {
  int64_t parent = 0;
  bool stopped = false;
  double cpu_seconds = 0;
};

using Members = std::unordered_map<int64_t, Member>;

Result<Members> all_processes(FileSystem& files, const std::string& proc_path) {
  TRY_ASSIGN(const std::vector<DirEntry> entries, files.list(proc_path));
  Members members;
  for (const DirEntry& entry : entries) {
    if (!is_pid(entry.name)) continue;
    const int64_t pid = parse_integer(entry.name).value_or(0);
    const auto text = read_small_file(files, proc_path + "/" + entry.name + "/stat");
    if (!text) continue;  // it has ended meanwhile
    const auto stat = parse_process_stat(*text);
    if (!stat) continue;
    members[pid] = {.parent = stat->parent,
                    .stopped = stat->state == "T" || stat->state == "t",
                    .cpu_seconds = (stat->user_ticks + stat->system_ticks) / kTicksPerSecond};
  }
  return members;
}

}  // namespace

Result<FamilyView> look_at_family(FileSystem& files, const std::string& proc_path, int64_t pid) {
  TRY_ASSIGN(const Members members, all_processes(files, proc_path));
  std::unordered_map<int64_t, std::vector<int64_t>> children;
  for (const auto& [child, member] : members) children[member.parent].push_back(child);
  FamilyView view;
  std::vector<int64_t> open = {pid};
  while (!open.empty() && view.pids.size() <= members.size()) {
    const int64_t next = open.back();
    open.pop_back();
    const auto member = members.find(next);
    if (member == members.end()) continue;
    view.pids.push_back(next);
    view.cpu_seconds += member->second.cpu_seconds;
    if (member->second.stopped) view.stopped_pid = next;
    if (const auto below = children.find(next); below != children.end())
      open.insert(open.end(), below->second.begin(), below->second.end());
  }
  return view;
}

}  // namespace binnacle::collect::host
