// What the path of a control group says about the container in it. Every runtime has its manner:
// Docker, containerd, CRI-O, Podman, Kubernetes, LXC, systemd-nspawn, with cgroups made by the
// runtime itself or by systemd. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle::collect::container {

struct CgroupPath {
  enum class Kind : uint8_t { kContainer, kPod };
  Kind kind = Kind::kContainer;
  std::string id;       // 64 hex digits, or the name for runtimes that have no ids; empty for a pod
  std::string runtime;  // "docker", "containerd", "crio", "podman", "lxc", "nspawn"; empty: unknown
  std::string pod_uid;  // of Kubernetes, with dashes
};

// `path` begins with a slash, below the mount of the hierarchy. Nothing when it is no container.
std::optional<CgroupPath> parse_cgroup_path(std::string_view path);

// Whether containers may stand below: not in a service that is no runtime, nor in a session.
bool may_hold_containers(std::string_view folder_name);

}  // namespace binnacle::collect::container
