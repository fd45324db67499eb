// Labels common to the roles of Kubernetes discovery. Part of kubernetes_groups.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "collect/discovery/kubernetes_groups.h"
#include "model/labels.h"

namespace binnacle::collect::discovery {

inline constexpr std::string_view kKubePrefix = "__meta_kubernetes_";

// Sets the label `__meta_kubernetes_<name>`.
void set_meta(model::LabelsBuilder& labels, std::string_view name, std::string_view value);

// What is no letter, digit or underscore becomes an underscore.
std::string sanitized(std::string_view name);

std::string join_host_port(const std::string& host, const std::string& port);

// <kind>_name, <kind>_label_*, <kind>_labelpresent_*, the same of annotations.
void add_object_labels(model::LabelsBuilder& labels, std::string_view kind,
                       const nlohmann::json& object);

void add_service_labels(model::LabelsBuilder& labels, const nlohmann::json& service);
void add_pod_labels(model::LabelsBuilder& labels, const nlohmann::json& pod);
// Labels of the node, of the namespace, when the lookup knows them.
void add_node_labels(model::LabelsBuilder& labels, const std::string& node, KubeLookup& lookup);
void add_namespace_labels(model::LabelsBuilder& labels, const std::string& name_space,
                          KubeLookup& lookup);

}  // namespace binnacle::collect::discovery
