// The containers of this machine: found now and then by walking the control groups, with their
// labels ready, and handed from the scan (slow thread) to the tick (quick thread).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "collect/container/cgroup_path.h"
#include "collect/container/container_names.h"
#include "collect/host/scan_board.h"

namespace binnacle::collect::container {

struct Container {
  std::string cgroup;  // the path below a hierarchy; the label `id`
  CgroupPath path;
  ContainerName labels;
};
using ContainerRef = std::shared_ptr<const Container>;  // shared by scan and tick

using ContainerBoard = host::ScanBoard<ContainerRef>;

// Where the control groups lie. Version 1 has a folder for each controller, version 2 one for all.
struct CgroupTree {
  int version = 2;
  std::string folder;  // /sys/fs/cgroup

  std::string file(std::string_view controller, std::string_view cgroup,
                   std::string_view name) const;
};
// kNotFound: no control groups are mounted there.
Result<CgroupTree> find_cgroup_tree(FileSystem& files, const std::string& sys_path);

// One thread.
class ContainerList {
 public:
  ContainerList(FileSystem& files, CgroupTree tree, ContainerNames names, size_t max_containers);

  Status scan();
  const std::vector<ContainerRef>& containers() const { return containers_; }  // "/" is the first
  size_t left_out() const { return left_out_; }

 private:
  struct Known {
    ContainerRef container;
    uint64_t seen_in_scan = 0;
    uint64_t name_again_in_scan = 0;  // 0: it has its names
    uint64_t wait_scans = 1;
  };
  void walk(const std::string& cgroup, size_t depth);
  void take(const std::string& cgroup, const CgroupPath& path);
  void name(Known& known);

  // Fixed after construction.
  FileSystem& files_;
  const CgroupTree tree_;
  const size_t max_containers_;

  ContainerNames names_;
  std::map<std::string, Known> known_;
  std::vector<ContainerRef> containers_;
  size_t left_out_ = 0;
  size_t folders_ = 0;
  uint64_t scan_ = 0;
};

}  // namespace binnacle::collect::container
