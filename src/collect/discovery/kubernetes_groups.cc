#include "collect/discovery/kubernetes_groups.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "collect/discovery/kubernetes_endpoints.h"
#include "collect/discovery/kubernetes_labels.h"
#include "collect/discovery/kubernetes_objects.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;

std::string container_id(const json& statuses, const std::string& name) {
  for (const json& status : statuses) {
    if (text_at(status, {"name"}) == name) return text_at(status, {"containerID"});
  }
  return {};
}

void add_container_targets(const json& pod, const json& container, bool init,
                           model::TargetGroup& group) {
  const std::string address = text_at(pod, {"status", "podIP"});
  const std::string name = text_at(container, {"name"});
  const json& statuses =
      list_at(pod, {"status", init ? "initContainerStatuses" : "containerStatuses"});
  const auto common = [&](model::LabelsBuilder& target) {
    set_meta(target, "pod_container_name", name);
    set_meta(target, "pod_container_id", container_id(statuses, name));
    set_meta(target, "pod_container_image", text_at(container, {"image"}));
    set_meta(target, "pod_container_init", init ? "true" : "false");
  };
  const json& ports = list_at(container, {"ports"});
  if (ports.empty()) {  // relabelling has to bring the port
    model::LabelsBuilder target;
    target.set("__address__", address);
    common(target);
    group.targets.push_back(target.build());
  }
  for (const json& port : ports) {
    const std::string number = text_at(port, {"containerPort"});
    model::LabelsBuilder target;
    target.set("__address__", join_host_port(address, number));
    common(target);
    set_meta(target, "pod_container_port_number", number);
    set_meta(target, "pod_container_port_name", text_at(port, {"name"}));
    set_meta(target, "pod_container_port_protocol", text_at(port, {"protocol"}));
    group.targets.push_back(target.build());
  }
}

void fill_pod_group(const json& pod, KubeMetadata attach, KubeLookup& lookup,
                    model::TargetGroup& group) {
  if (text_at(pod, {"status", "podIP"}).empty()) return;  // starts, or was evicted
  const std::string node = text_at(pod, {"spec", "nodeName"});
  // Selectors may leave nodes out; their pods are left out with them.
  if (attach.node && lookup.find(KubeKind::kNode, node) == nullptr) return;
  const std::string name_space = text_at(pod, {"metadata", "namespace"});
  model::LabelsBuilder labels;
  add_pod_labels(labels, pod);
  set_meta(labels, "namespace", name_space);
  if (attach.node) add_node_labels(labels, node, lookup);
  if (attach.name_space) add_namespace_labels(labels, name_space, lookup);
  group.labels = labels.build();
  for (const json& container : list_at(pod, {"spec", "containers"})) {
    add_container_targets(pod, container, false, group);
  }
  for (const json& container : list_at(pod, {"spec", "initContainers"})) {
    add_container_targets(pod, container, true, group);
  }
}

void fill_service_group(const json& service, KubeMetadata attach, KubeLookup& lookup,
                        model::TargetGroup& group) {
  const std::string name_space = text_at(service, {"metadata", "namespace"});
  model::LabelsBuilder labels;
  add_service_labels(labels, service);
  if (attach.name_space) add_namespace_labels(labels, name_space, lookup);
  group.labels = labels.build();
  const std::string host = text_at(service, {"metadata", "name"}) + "." + name_space + ".svc";
  const std::string type = text_at(service, {"spec", "type"});
  for (const json& port : list_at(service, {"spec", "ports"})) {
    const std::string number = text_at(port, {"port"});
    model::LabelsBuilder target;
    target.set("__address__", join_host_port(host, number));
    set_meta(target, "service_port_name", text_at(port, {"name"}));
    set_meta(target, "service_port_number", number);
    set_meta(target, "service_port_protocol", text_at(port, {"protocol"}));
    set_meta(target, "service_type", type);
    if (type == "ExternalName") {
      set_meta(target, "service_external_name", text_at(service, {"spec", "externalName"}));
    } else {
      set_meta(target, "service_cluster_ip", text_at(service, {"spec", "clusterIP"}));
    }
    if (type == "LoadBalancer") {
      for (const json& ingress : list_at(service, {"status", "loadBalancer", "ingress"})) {
        const std::string address = text_at(ingress, {"ip"});
        if (address.empty()) continue;
        set_meta(target, "service_loadbalancer_ip", address);
        break;
      }
    }
    group.targets.push_back(target.build());
  }
}

// The address by which Prometheus would reach the node's kubelet.
std::string node_address(const json& node) {
  constexpr std::array<std::string_view, 6> kOrder = {"InternalIP",  "InternalDNS",  "ExternalIP",
                                                      "ExternalDNS", "LegacyHostIP", "Hostname"};
  for (const std::string_view type : kOrder) {
    for (const json& address : list_at(node, {"status", "addresses"})) {
      if (text_at(address, {"type"}) == type) return text_at(address, {"address"});
    }
  }
  return {};
}

void fill_node_group(const json& node, model::TargetGroup& group) {
  model::LabelsBuilder labels;
  set_meta(labels, "node_provider_id", text_at(node, {"spec", "providerID"}));
  for (const json& condition : list_at(node, {"status", "conditions"})) {
    std::string status = text_at(condition, {"status"});
    std::ranges::transform(status, status.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    set_meta(labels, "node_condition_" + sanitized(text_at(condition, {"type"})), status);
  }
  add_object_labels(labels, "node", node);
  group.labels = labels.build();
  const std::string address = node_address(node);
  if (address.empty()) return;
  const std::string port = text_at(node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"});
  model::LabelsBuilder target;
  target.set("__address__", join_host_port(address, port.empty() ? "0" : port));
  target.set("instance", text_at(node, {"metadata", "name"}));
  const json& addresses = list_at(node, {"status", "addresses"});
  for (auto it = addresses.rbegin(); it != addresses.rend(); ++it) {  // of one type the first stays
    set_meta(target, "node_address_" + sanitized(text_at(*it, {"type"})),
             text_at(*it, {"address"}));
  }
  group.targets.push_back(target.build());
}

// "*.example.com" stands for one more part, as in certificates.
bool matches_host(std::string_view pattern, std::string_view host) {
  if (pattern == host) return true;
  if (!pattern.starts_with("*.")) return false;
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && host.substr(dot) == pattern.substr(1);
}

bool has_tls(const json& ingress, const std::string& host) {
  for (const json& entry : list_at(ingress, {"spec", "tls"})) {
    for (const json& pattern : list_at(entry, {"hosts"})) {
      if (pattern.is_string() && matches_host(pattern.get_ref<const std::string&>(), host)) {
        return true;
      }
    }
  }
  return false;
}

void fill_ingress_group(const json& ingress, KubeMetadata attach, KubeLookup& lookup,
                        model::TargetGroup& group) {
  const std::string name_space = text_at(ingress, {"metadata", "namespace"});
  model::LabelsBuilder labels;
  set_meta(labels, "namespace", name_space);
  set_meta(labels, "ingress_class_name", text_at(ingress, {"spec", "ingressClassName"}));
  add_object_labels(labels, "ingress", ingress);
  if (attach.name_space) add_namespace_labels(labels, name_space, lookup);
  group.labels = labels.build();
  for (const json& rule : list_at(ingress, {"spec", "rules"})) {
    const std::string host = text_at(rule, {"host"});
    std::vector<std::string> paths;
    for (const json& path : list_at(rule, {"http", "paths"})) {
      paths.push_back(text_at(path, {"path"}));
    }
    if (node_at(rule, {"http"}) == nullptr) paths.emplace_back("/");
    for (const std::string& path : paths) {
      model::LabelsBuilder target;
      target.set("__address__", host);
      set_meta(target, "ingress_scheme", has_tls(ingress, host) ? "https" : "http");
      set_meta(target, "ingress_host", host);
      set_meta(target, "ingress_path", path.empty() ? "/" : path);
      group.targets.push_back(target.build());
    }
  }
}

}  // namespace

std::string_view kube_kind_name(KubeKind kind) {
  constexpr std::array<std::string_view, 7> kNames = {
      "pod", "service", "endpoints", "endpointslice", "node", "ingress", "namespace"};
  return kNames[static_cast<size_t>(kind)];
}

std::string kube_group_source(KubeKind role, const std::string& key) {
  return std::string(role == KubeKind::kService ? "svc" : kube_kind_name(role)) + "/" + key;
}

model::TargetGroup kube_group(KubeKind role, const std::string& key, const json& object,
                              KubeMetadata attach, KubeLookup& lookup) {
  model::TargetGroup group{.source = kube_group_source(role, key), .targets = {}, .labels = {}};
  switch (role) {
    case KubeKind::kPod:
      fill_pod_group(object, attach, lookup, group);
      break;
    case KubeKind::kService:
      fill_service_group(object, attach, lookup, group);
      break;
    case KubeKind::kEndpoints:
      fill_endpoints_group(object, attach, lookup, group);
      break;
    case KubeKind::kEndpointSlice:
      fill_endpoint_slice_group(object, attach, lookup, group);
      break;
    case KubeKind::kNode:
      fill_node_group(object, group);
      break;
    case KubeKind::kIngress:
      fill_ingress_group(object, attach, lookup, group);
      break;
    case KubeKind::kNamespace:
      break;
  }
  return group;
}

}  // namespace binnacle::collect::discovery
