#include "collect/discovery/kubernetes_labels.h"

#include <nlohmann/json.hpp>

#include "collect/discovery/kubernetes_objects.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void add_pairs(model::LabelsBuilder& labels, const std::string& prefix, const json* pairs) {
  if (pairs == nullptr || !pairs->is_object()) return;
  for (const auto& [name, value] : pairs->items()) {
    if (!value.is_string()) continue;
    const std::string clean = sanitized(name);
    set_meta(labels, prefix + "_" + clean, value.get_ref<const std::string&>());
    set_meta(labels, prefix + "present_" + clean, "true");
  }
}

void add_pairs_of(model::LabelsBuilder& labels, std::string_view kind, const json& object) {
  const std::string prefix(kind);
  add_pairs(labels, prefix + "_label", node_at(object, {"metadata", "labels"}));
  add_pairs(labels, prefix + "_annotation", node_at(object, {"metadata", "annotations"}));
}

std::string readiness(const json& pod) {
  const json* conditions = node_at(pod, {"status", "conditions"});
  if (conditions != nullptr) {
    for (const json& condition : *conditions) {
      if (text_at(condition, {"type"}) == "Ready") return lower(text_at(condition, {"status"}));
    }
  }
  return "unknown";
}

void add_controller(model::LabelsBuilder& labels, const json& pod) {
  const json* owners = node_at(pod, {"metadata", "ownerReferences"});
  if (owners == nullptr) return;
  for (const json& owner : *owners) {
    if (text_at(owner, {"controller"}) != "true") continue;
    set_meta(labels, "pod_controller_kind", text_at(owner, {"kind"}));
    set_meta(labels, "pod_controller_name", text_at(owner, {"name"}));
    return;
  }
}

}  // namespace

void set_meta(model::LabelsBuilder& labels, std::string_view name, std::string_view value) {
  labels.set(std::string(kKubePrefix).append(name), value);
}

std::string sanitized(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fine) c = '_';
  }
  return out;
}

std::string join_host_port(const std::string& host, const std::string& port) {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + port;
}

void add_object_labels(model::LabelsBuilder& labels, std::string_view kind, const json& object) {
  set_meta(labels, std::string(kind) + "_name", text_at(object, {"metadata", "name"}));
  add_pairs_of(labels, kind, object);
}

void add_service_labels(model::LabelsBuilder& labels, const json& service) {
  set_meta(labels, "namespace", text_at(service, {"metadata", "namespace"}));
  add_object_labels(labels, "service", service);
}

void add_pod_labels(model::LabelsBuilder& labels, const json& pod) {
  set_meta(labels, "pod_ip", text_at(pod, {"status", "podIP"}));
  set_meta(labels, "pod_ready", readiness(pod));
  set_meta(labels, "pod_phase", text_at(pod, {"status", "phase"}));
  set_meta(labels, "pod_node_name", text_at(pod, {"spec", "nodeName"}));
  set_meta(labels, "pod_host_ip", text_at(pod, {"status", "hostIP"}));
  set_meta(labels, "pod_uid", text_at(pod, {"metadata", "uid"}));
  add_object_labels(labels, "pod", pod);
  add_controller(labels, pod);
}

void add_node_labels(model::LabelsBuilder& labels, const std::string& node, KubeLookup& lookup) {
  if (node.empty()) return;
  if (const json* found = lookup.find(KubeKind::kNode, node)) {
    add_object_labels(labels, "node", *found);
  }
}

void add_namespace_labels(model::LabelsBuilder& labels, const std::string& name_space,
                          KubeLookup& lookup) {
  // Its name is there already, as `namespace`.
  if (const json* found = lookup.find(KubeKind::kNamespace, name_space)) {
    add_pairs_of(labels, "namespace", *found);
  }
}

}  // namespace binnacle::collect::discovery
