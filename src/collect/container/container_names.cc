#include "collect/container/container_names.h"

#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::collect::container {
namespace {

using nlohmann::json;

constexpr size_t kMaxFileBytes = size_t{4} << 20;
constexpr size_t kMaxListed = 10'000;

std::optional<json> read_json(FileSystem& files, const std::string& path) {
  const auto text = files.read_file(path, kMaxFileBytes);
  if (!text) return std::nullopt;  // not this runtime, or not ours to read
  json parsed = parse_json(*text);
  if (parsed.is_discarded()) return std::nullopt;
  return parsed;
}

// "" when there is no such string.
std::string text_at(const json& object, std::initializer_list<const char*> keys) {
  const json* at = &object;
  for (const char* key : keys) {
    if (!at->is_object()) return {};
    const auto found = at->find(key);
    if (found == at->end()) return {};
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

// The labels that the kubelet puts on a container of Docker's.
void take_kubernetes_labels(const json& labels, ContainerName& name) {
  name.container = text_at(labels, {"io.kubernetes.container.name"});
  name.pod = text_at(labels, {"io.kubernetes.pod.name"});
  name.pod_namespace = text_at(labels, {"io.kubernetes.pod.namespace"});
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

}  // namespace

ContainerNames::ContainerNames(FileSystem& files, std::string root,
                               std::unique_ptr<NameSource> live)
    : files_(files), root_(std::move(root)), live_(std::move(live)) {}

void ContainerNames::begin_scan() {
  kubernetes_listed_ = false;
  live_names_.reset();
}

std::optional<ContainerName> ContainerNames::find(const CgroupPath& path) {
  if (!path.pod_uid.empty()) {
    if (auto name = from_kubernetes(path)) return name;
  }
  if (path.kind == CgroupPath::Kind::kPod) return std::nullopt;
  if (path.runtime == "lxc" || path.runtime == "nspawn") return ContainerName{.name = path.id};
  if (path.runtime == "docker" || path.runtime.empty()) {
    if (auto name = from_live(path.id)) return name;
    if (auto name = from_docker(path.id)) return name;
  }
  if (path.runtime == "podman" || path.runtime.empty()) {
    if (auto name = from_podman(path.id)) return name;
  }
  return from_containerd(path.id);
}

std::optional<ContainerName> ContainerNames::from_kubernetes(const CgroupPath& path) {
  if (!kubernetes_listed_) list_kubernetes();
  const auto pod = pods_.find(path.pod_uid);
  if (path.kind == CgroupPath::Kind::kPod) {
    if (pod == pods_.end()) return std::nullopt;
    return ContainerName{.pod = pod->second.name, .pod_namespace = pod->second.pod_namespace};
  }
  ContainerName name;
  // The image stands only with the runtime.
  if (auto known = path.runtime == "docker" ? from_docker(path.id) : from_containerd(path.id)) {
    name = std::move(*known);
  }
  if (const auto listed = pod_containers_.find(path.id); listed != pod_containers_.end()) {
    name.container = listed->second.container;
  }
  if (pod != pods_.end()) {
    name.pod = pod->second.name;
    name.pod_namespace = pod->second.pod_namespace;
  }
  if (name.pod.empty() && name.container.empty()) return std::nullopt;
  return name;
}

// /var/log/pods/<namespace>_<pod>_<uid>/ and /var/log/containers/<pod>_<ns>_<container>-<id>.log:
// none of the three names can hold an underscore.
void ContainerNames::list_kubernetes() {
  kubernetes_listed_ = true;
  pods_.clear();
  pod_containers_.clear();
  if (const auto pods = files_.list(root_ + "/var/log/pods")) {
    for (const DirEntry& entry : *pods) {
      const size_t first = entry.name.find('_');
      const size_t last = entry.name.rfind('_');
      if (first == std::string::npos || first == last || pods_.size() >= kMaxListed) continue;
      pods_[entry.name.substr(last + 1)] = {entry.name.substr(first + 1, last - first - 1),
                                            entry.name.substr(0, first)};
    }
  }
  if (const auto logs = files_.list(root_ + "/var/log/containers")) {
    for (const DirEntry& entry : *logs) {
      const std::string_view log = entry.name;
      const size_t last = log.rfind('_');
      const size_t dash = log.rfind('-');
      if (!log.ends_with(".log") || last == std::string_view::npos ||
          dash == std::string_view::npos || dash < last || pod_containers_.size() >= kMaxListed) {
        continue;
      }
      const std::string id(log.substr(dash + 1, log.size() - dash - 5));
      pod_containers_[id].container = log.substr(last + 1, dash - last - 1);
    }
  }
}

std::optional<ContainerName> ContainerNames::from_live(const std::string& id) {
  if (live_ == nullptr) return std::nullopt;
  if (!live_names_) {
    auto names = live_->names();
    // No socket or no answer: the files may tell. Not asked again in this scan.
    live_names_ = names ? std::move(*names) : std::map<std::string, ContainerName>();
  }
  const auto found = live_names_->find(id);
  return found == live_names_->end() ? std::nullopt : std::optional(found->second);
}

std::optional<ContainerName> ContainerNames::from_docker(const std::string& id) {
  const auto config =
      read_json(files_, root_ + "/var/lib/docker/containers/" + id + "/config.v2.json");
  if (!config) return std::nullopt;
  ContainerName name;
  name.name = without_slash(text_at(*config, {"Name"}));
  name.image = text_at(*config, {"Config", "Image"});
  if (config->is_object() && config->contains("Config") && (*config)["Config"].contains("Labels")) {
    take_kubernetes_labels((*config)["Config"]["Labels"], name);
  }
  return name;
}

std::optional<ContainerName> ContainerNames::from_podman(const std::string& id) {
  const auto list =
      read_json(files_, root_ + "/var/lib/containers/storage/overlay-containers/containers.json");
  if (!list || !list->is_array()) return std::nullopt;
  for (const json& one : *list) {
    if (text_at(one, {"id"}) != id) continue;
    ContainerName name;
    const auto names = one.find("names");
    if (names != one.end() && names->is_array() && !names->empty() && names->front().is_string()) {
      name.name = names->front().get<std::string>();
    }
    const json about = parse_json(text_at(one, {"metadata"}));
    if (!about.is_discarded()) name.image = text_at(about, {"image-name"});
    return name;
  }
  return std::nullopt;
}

std::optional<ContainerName> ContainerNames::from_containerd(const std::string& id) {
  for (const char* space : {"k8s.io", "default", "moby", "buildkit"}) {
    const auto config = read_json(files_, root_ + "/run/containerd/io.containerd.runtime.v2.task/" +
                                              space + "/" + id + "/config.json");
    if (!config || !config->is_object() || !config->contains("annotations")) continue;
    const json& notes = (*config)["annotations"];
    ContainerName name;
    name.image = text_at(notes, {"io.kubernetes.cri.image-name"});
    name.container = text_at(notes, {"io.kubernetes.cri.container-name"});
    name.pod = text_at(notes, {"io.kubernetes.cri.sandbox-name"});
    name.pod_namespace = text_at(notes, {"io.kubernetes.cri.sandbox-namespace"});
    name.name = text_at(notes, {"nerdctl/name"});
    return name;
  }
  return std::nullopt;
}

Result<std::map<std::string, ContainerName>> parse_docker_list(std::string_view body) {
  const json list = parse_json(body);
  if (!list.is_array()) {
    return fail(Code::kDataLoss, "Docker's list of containers is no JSON array");
  }
  std::map<std::string, ContainerName> names;
  for (const json& one : list) {
    const std::string id = text_at(one, {"Id"});
    if (id.empty() || names.size() >= kMaxListed) continue;
    ContainerName& name = names[id];
    const auto called = one.find("Names");
    if (called != one.end() && called->is_array() && !called->empty() &&
        called->front().is_string()) {
      name.name = without_slash(called->front().get<std::string>());
    }
    name.image = text_at(one, {"Image"});
    if (const auto labels = one.find("Labels"); labels != one.end()) {
      take_kubernetes_labels(*labels, name);
    }
  }
  return names;
}

}  // namespace binnacle::collect::container
