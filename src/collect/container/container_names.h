// From a container's id to what people call it: by the files of Kubernetes, Docker, Podman and
// containerd where they can be read, and by Docker's socket. A container that no one names keeps
// its id. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "collect/container/cgroup_path.h"

namespace binnacle::collect::container {

struct ContainerName {
  std::string name;
  std::string image;
  // Of Kubernetes.
  std::string container;
  std::string pod;
  std::string pod_namespace;
};

// A runtime that tells all its containers at once, by id.
class NameSource {
 public:
  virtual ~NameSource() = default;
  virtual Result<std::map<std::string, ContainerName>> names() = 0;
};

class ContainerNames {
 public:
  // `root`: where the host's root lies, without a slash at its end. `live` may be null.
  ContainerNames(FileSystem& files, std::string root, std::unique_ptr<NameSource> live);

  // Before the find()s of one scan: what was listed before is read anew when it is needed.
  void begin_scan();
  std::optional<ContainerName> find(const CgroupPath& path);

 private:
  struct Pod {
    std::string name;
    std::string pod_namespace;
  };
  std::optional<ContainerName> from_kubernetes(const CgroupPath& path);
  std::optional<ContainerName> from_live(const std::string& id);
  std::optional<ContainerName> from_docker(const std::string& id);
  std::optional<ContainerName> from_podman(const std::string& id);
  std::optional<ContainerName> from_containerd(const std::string& id);
  void list_kubernetes();

  // Fixed after construction.
  FileSystem& files_;
  const std::string root_;
  std::unique_ptr<NameSource> live_;

  bool kubernetes_listed_ = false;
  std::map<std::string, Pod> pods_;                      // by uid
  std::map<std::string, ContainerName> pod_containers_;  // by id
  std::optional<std::map<std::string, ContainerName>> live_names_;
};

// Docker's API over its Unix socket.
std::unique_ptr<NameSource> docker_names(FileSystem& files, std::string socket_path);

// Of the answer to GET /containers/json.
Result<std::map<std::string, ContainerName>> parse_docker_list(std::string_view body);

}  // namespace binnacle::collect::container
