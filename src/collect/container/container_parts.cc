#include "collect/container/container_parts.h"

#include "base/log.h"
#include "collect/container/container_scan_part.h"
#include "collect/container/container_tick_part.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::container {

host::Parts container_parts(const ContainerOptions& options, const host::HostOptions& host,
                            FileSystem& files, const Clock& clock) {
  return container_parts(
      options, host, files, clock,
      options.docker_socket.empty() ? nullptr : docker_names(files, options.docker_socket));
}

host::Parts container_parts(const ContainerOptions& options, const host::HostOptions& host,
                            FileSystem& files, const Clock& clock,
                            std::unique_ptr<NameSource> live) {
  host::Parts parts;
  if (!options.enabled) return parts;
  const host::Source source = host::make_source(files, host);
  auto tree = find_cgroup_tree(files, source.sys_path);
  if (!tree) {
    Log("collect.container").info("containers are not told of", {{"reason", tree.error().message}});
    return parts;
  }
  const auto board = std::make_shared<ContainerBoard>();
  ContainerNames names(files, source.rootfs_path, std::move(live));
  parts.push_back(container_scan_part(
      files, clock, *tree, source.proc_path,
      ContainerList(files, *tree, std::move(names), options.max_containers), board));
  parts.push_back(container_tick_part(files, *tree, source.sys_path, board));
  return parts;
}

}  // namespace binnacle::collect::container
