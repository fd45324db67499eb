#include "collect/container/container_list.h"

#include <algorithm>

#include "collect/host/linux/kernel_file.h"

namespace binnacle::collect::container {
namespace {

constexpr size_t kMaxDepth = 12;
constexpr size_t kMaxFolders = 20'000;
// A container without a name is asked about again: its runtime may write its files late.
constexpr uint64_t kMaxWaitScans = 32;

// Controllers by whose folders version 1 is walked: the first that is there.
constexpr std::string_view kWalked[] = {"memory", "cpuacct", "cpu,cpuacct", "pids"};

}  // namespace

std::string CgroupTree::file(std::string_view controller, std::string_view cgroup,
                             std::string_view name) const {
  std::string path = folder;
  if (version == 1) {
    path += '/';
    path += controller;
  }
  if (cgroup != "/") path += cgroup;
  path += '/';
  path += name;
  return path;
}

Result<CgroupTree> find_cgroup_tree(FileSystem& files, const std::string& sys_path) {
  const std::string folder = sys_path + "/fs/cgroup";
  if (files.exists(folder + "/cgroup.controllers")) return CgroupTree{2, folder};
  for (const std::string_view controller : kWalked) {
    if (files.exists(folder + "/" + std::string(controller))) return CgroupTree{1, folder};
  }
  return fail(Code::kNotFound, "no control groups are mounted at " + folder);
}

ContainerList::ContainerList(FileSystem& files, CgroupTree tree, ContainerNames names,
                             size_t max_containers)
    : files_(files),
      tree_(std::move(tree)),
      max_containers_(max_containers),
      names_(std::move(names)) {}

Status ContainerList::scan() {
  ++scan_;
  folders_ = 0;
  left_out_ = 0;
  names_.begin_scan();
  take("/", {});
  walk("", 0);
  std::erase_if(known_, [&](const auto& entry) { return entry.second.seen_in_scan != scan_; });
  containers_.clear();
  for (const auto& [cgroup, known] : known_) containers_.push_back(known.container);
  return {};
}

void ContainerList::walk(const std::string& cgroup, size_t depth) {
  if (depth > kMaxDepth || ++folders_ > kMaxFolders) return;
  std::string folder = tree_.folder + cgroup;
  if (tree_.version == 1) {
    for (const std::string_view controller : kWalked) {
      folder = tree_.folder + "/" + std::string(controller) + cgroup;
      if (files_.exists(folder)) break;
    }
  }
  const auto entries = files_.list(folder);
  if (!entries) return;  // it went while we walked
  for (const DirEntry& entry : *entries) {
    if (!entry.is_directory) continue;
    const std::string below = cgroup + "/" + entry.name;
    const auto path = parse_cgroup_path(below);
    if (path) take(below, *path);
    const bool closed = path && path->kind == CgroupPath::Kind::kContainer;
    if (!closed && may_hold_containers(entry.name)) walk(below, depth + 1);
  }
}

void ContainerList::take(const std::string& cgroup, const CgroupPath& path) {
  auto found = known_.find(cgroup);
  if (found == known_.end()) {
    if (known_.size() > max_containers_) {
      ++left_out_;
      return;
    }
    Container made{.cgroup = cgroup, .path = path, .labels = {.name = path.id}};
    found = known_.emplace(cgroup, Known{std::make_shared<const Container>(std::move(made))}).first;
    found->second.name_again_in_scan = cgroup == "/" ? 0 : scan_;
  }
  Known& known = found->second;
  known.seen_in_scan = scan_;
  if (known.name_again_in_scan != 0 && known.name_again_in_scan <= scan_) name(known);
}

void ContainerList::name(Known& known) {
  auto found = names_.find(known.container->path);
  if (!found) {
    known.name_again_in_scan = scan_ + known.wait_scans;
    known.wait_scans = std::min(known.wait_scans * 2, kMaxWaitScans);
    return;
  }
  known.name_again_in_scan = 0;
  Container named = *known.container;
  named.labels = std::move(*found);
  if (named.labels.name.empty()) named.labels.name = named.path.id;
  known.container = std::make_shared<const Container>(std::move(named));
}

}  // namespace binnacle::collect::container
