#include "collect/discovery/kubernetes_endpoints.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "collect/discovery/kubernetes_labels.h"
#include "collect/discovery/kubernetes_objects.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;

// The pods behind the addresses: their labels on the targets, and targets of their other ports.
class Pods {
 public:
  Pods(KubeLookup& lookup, model::TargetGroup& group) : lookup_(lookup), group_(group) {}

  // Finishes one target; `reference` is the address' targetRef, null when it has none.
  void add_target(model::LabelsBuilder& target, const json* reference, const std::string& port,
                  const std::string& protocol) {
    const json* pod = resolve(reference);
    if (pod != nullptr) {
      const std::string key =
          text_at(*pod, {"metadata", "namespace"}) + "/" + text_at(*pod, {"metadata", "name"});
      Seen& seen = seen_[key];
      seen.pod = pod;
      seen.ports.insert(port);
      add_pod_labels(target, *pod);
      add_container(target, *pod, port, protocol);
    }
    group_.targets.push_back(target.build());
  }

  // Ports of the pods' containers that no service names are targets, too.
  void add_other_ports() {
    for (const auto& [key, seen] : seen_) {
      const std::string address = text_at(*seen.pod, {"status", "podIP"});
      if (address.empty()) continue;
      for (const char* list : {"containers", "initContainers"}) {
        for (const json& container : list_at(*seen.pod, {"spec", list})) {
          for (const json& port : list_at(container, {"ports"})) {
            const std::string number = text_at(port, {"containerPort"});
            if (seen.ports.contains(number)) continue;
            model::LabelsBuilder target;
            target.set("__address__", join_host_port(address, number));
            set_container(target, container, port, number, text_at(port, {"protocol"}), list);
            add_pod_labels(target, *seen.pod);
            group_.targets.push_back(target.build());
          }
        }
      }
    }
  }

 private:
  struct Seen {
    const json* pod = nullptr;
    std::set<std::string> ports;
  };

  const json* resolve(const json* reference) {
    if (reference == nullptr || text_at(*reference, {"kind"}) != "Pod") return nullptr;
    return lookup_.find(KubeKind::kPod,
                        text_at(*reference, {"namespace"}) + "/" + text_at(*reference, {"name"}));
  }

  static void set_container(model::LabelsBuilder& target, const json& container, const json& port,
                            const std::string& number, const std::string& protocol,
                            std::string_view list) {
    set_meta(target, "pod_container_name", text_at(container, {"name"}));
    set_meta(target, "pod_container_image", text_at(container, {"image"}));
    set_meta(target, "pod_container_port_name", text_at(port, {"name"}));
    set_meta(target, "pod_container_port_number", number);
    set_meta(target, "pod_container_port_protocol", protocol);
    set_meta(target, "pod_container_init", list == "initContainers" ? "true" : "false");
  }

  // Of the containers that have the port; where several do, of the last. `protocol` wins over the
  // container's own when it is given.
  static void add_container(model::LabelsBuilder& target, const json& pod,
                            const std::string& number, const std::string& protocol) {
    if (number.empty()) return;
    for (const char* list : {"containers", "initContainers"}) {
      for (const json& container : list_at(pod, {"spec", list})) {
        for (const json& port : list_at(container, {"ports"})) {
          if (text_at(port, {"containerPort"}) != number) continue;
          set_container(target, container, port, number,
                        protocol.empty() ? text_at(port, {"protocol"}) : protocol, list);
          break;
        }
      }
    }
  }

  KubeLookup& lookup_;
  model::TargetGroup& group_;
  std::map<std::string, Seen> seen_;
};

void set_target_reference(model::LabelsBuilder& target, const std::string& prefix,
                          const json* reference) {
  if (reference == nullptr) return;
  set_meta(target, prefix + "_target_kind", text_at(*reference, {"kind"}));
  set_meta(target, prefix + "_target_name", text_at(*reference, {"name"}));
}

bool is_node(const json* reference) {
  return reference != nullptr && text_at(*reference, {"kind"}) == "Node";
}

void add_endpoint(const json& address, const json& port, bool ready, KubeMetadata attach,
                  KubeLookup& lookup, Pods& pods) {
  model::LabelsBuilder target;
  const std::string number = text_at(port, {"port"});
  const std::string protocol = text_at(port, {"protocol"});
  target.set("__address__", join_host_port(text_at(address, {"ip"}), number));
  set_meta(target, "endpoint_port_name", text_at(port, {"name"}));
  set_meta(target, "endpoint_port_protocol", protocol);
  set_meta(target, "endpoint_ready", ready ? "true" : "false");
  const json* reference = node_at(address, {"targetRef"});
  set_target_reference(target, "endpoint_address", reference);
  const std::string node = text_at(address, {"nodeName"});
  set_meta(target, "endpoint_node_name", node);
  set_meta(target, "endpoint_hostname", text_at(address, {"hostname"}));
  if (attach.node) {
    add_node_labels(
        target, node.empty() && is_node(reference) ? text_at(*reference, {"name"}) : node, lookup);
  }
  pods.add_target(target, reference, number, protocol);
}

// A dual-stack service has a slice for each family; targets come from the first one's alone.
bool is_of_second_family(const json* service, const std::string& address_type) {
  if (service == nullptr) return false;
  const std::string policy = text_at(*service, {"spec", "ipFamilyPolicy"});
  if (policy != "PreferDualStack" && policy != "RequireDualStack") return false;
  const json& families = list_at(*service, {"spec", "ipFamilies"});
  return !families.empty() && families[0].is_string() &&
         families[0].get_ref<const std::string&>() != address_type;
}

void add_slice_target(const std::string& address, const json& endpoint, const json& port,
                      KubeMetadata attach, KubeLookup& lookup, Pods& pods) {
  model::LabelsBuilder target;
  const std::string number = text_at(port, {"port"});
  target.set("__address__", number.empty() ? address : join_host_port(address, number));
  set_meta(target, "endpointslice_port_name", text_at(port, {"name"}));
  set_meta(target, "endpointslice_port_protocol", text_at(port, {"protocol"}));
  set_meta(target, "endpointslice_port", number);
  set_meta(target, "endpointslice_port_app_protocol", text_at(port, {"appProtocol"}));
  for (const char* condition : {"ready", "serving", "terminating"}) {
    set_meta(target, std::string("endpointslice_endpoint_conditions_") + condition,
             text_at(endpoint, {"conditions", condition}));
  }
  set_meta(target, "endpointslice_endpoint_hostname", text_at(endpoint, {"hostname"}));
  const json* reference = node_at(endpoint, {"targetRef"});
  set_target_reference(target, "endpointslice_address", reference);
  const std::string node = text_at(endpoint, {"nodeName"});
  set_meta(target, "endpointslice_endpoint_node_name", node);
  set_meta(target, "endpointslice_endpoint_zone", text_at(endpoint, {"zone"}));
  if (const json* topology = node_at(endpoint, {"deprecatedTopology"});
      topology != nullptr && topology->is_object()) {
    for (const auto& [name, value] : topology->items()) {
      if (!value.is_string()) continue;
      const std::string clean = sanitized(name);
      set_meta(target, "endpointslice_endpoint_topology_" + clean, value.get<std::string>());
      set_meta(target, "endpointslice_endpoint_topology_present_" + clean, "true");
    }
  }
  if (attach.node) {
    add_node_labels(target, is_node(reference) ? text_at(*reference, {"name"}) : node, lookup);
  }
  pods.add_target(target, reference, number, "");
}

}  // namespace

void fill_endpoints_group(const json& object, KubeMetadata attach, KubeLookup& lookup,
                          model::TargetGroup& group) {
  const std::string name_space = text_at(object, {"metadata", "namespace"});
  model::LabelsBuilder labels;
  set_meta(labels, "namespace", name_space);
  const json* service =
      lookup.find(KubeKind::kService, name_space + "/" + text_at(object, {"metadata", "name"}));
  if (service != nullptr) add_service_labels(labels, *service);
  add_object_labels(labels, "endpoints", object);
  if (attach.name_space) add_namespace_labels(labels, name_space, lookup);
  group.labels = labels.build();
  Pods pods(lookup, group);
  for (const json& subset : list_at(object, {"subsets"})) {
    for (const json& port : list_at(subset, {"ports"})) {
      for (const json& address : list_at(subset, {"addresses"})) {
        add_endpoint(address, port, true, attach, lookup, pods);
      }
      for (const json& address : list_at(subset, {"notReadyAddresses"})) {
        add_endpoint(address, port, false, attach, lookup, pods);
      }
    }
  }
  pods.add_other_ports();
}

void fill_endpoint_slice_group(const json& object, KubeMetadata attach, KubeLookup& lookup,
                               model::TargetGroup& group) {
  const std::string name_space = text_at(object, {"metadata", "namespace"});
  const std::string type = text_at(object, {"addressType"});
  model::LabelsBuilder labels;
  set_meta(labels, "namespace", name_space);
  set_meta(labels, "endpointslice_address_type", type);
  add_object_labels(labels, "endpointslice", object);
  const std::string owner = text_at(object, {"metadata", "labels", "kubernetes.io/service-name"});
  const json* service =
      owner.empty() ? nullptr : lookup.find(KubeKind::kService, name_space + "/" + owner);
  if (service != nullptr) add_service_labels(labels, *service);
  if (attach.name_space) add_namespace_labels(labels, name_space, lookup);
  group.labels = labels.build();
  if (is_of_second_family(service, type)) return;
  Pods pods(lookup, group);
  for (const json& endpoint : list_at(object, {"endpoints"})) {
    for (const json& port : list_at(object, {"ports"})) {
      for (const json& address : list_at(endpoint, {"addresses"})) {
        if (!address.is_string()) continue;
        add_slice_target(address.get<std::string>(), endpoint, port, attach, lookup, pods);
      }
    }
  }
  pods.add_other_ports();
}

}  // namespace binnacle::collect::discovery
