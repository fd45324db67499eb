#include "collect/discovery/kubernetes_config_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "net/http_config_yaml.h"

namespace binnacle::collect::discovery {
namespace {

constexpr std::string_view kRoles[] = {"pod",           "service", "endpoints",
                                       "endpointslice", "node",    "ingress"};

// Of which objects a role looks at some may be selected.
const std::map<std::string, std::vector<std::string>>& selectable() {
  static const std::map<std::string, std::vector<std::string>> table = {
      {"pod", {"pod", "node"}},
      {"service", {"service"}},
      {"endpoints", {"pod", "service", "endpoints"}},
      {"endpointslice", {"pod", "service", "endpointslice"}},
      {"node", {"node"}},
      {"ingress", {"ingress"}}};
  return table;
}

void read_namespaces(const YamlValue& value, KubernetesSdConfig& config) {
  YamlMap map(value);
  map.read("own_namespace", config.own_namespace);
  map.read("names", config.namespaces);
  map.finish();
}

void read_metadata(const YamlValue& value, KubernetesSdConfig& config) {
  YamlMap map(value);
  map.read("node", config.attach_node);
  map.read("namespace", config.attach_namespace);
  for (const char* name : {"deployment", "job", "cronjob"}) {
    map.unused(name, "has no effect: owners beyond a pod's controller are not looked up");
  }
  map.finish();
}

void read_selectors(const YamlValue& list, KubernetesSdConfig& config) {
  std::set<std::string> seen;
  for (const YamlValue& entry : list.items()) {
    YamlMap map(entry);
    KubernetesSelector selector;
    map.choice("role", selector.role, kRoles);
    map.read("label", selector.label);
    map.read("field", selector.field);
    map.finish();
    if (!seen.insert(selector.role).second) {
      entry.problem("role is selected twice", selector.role, "put both into one selector");
    }
    const auto allowed = selectable().find(config.role);
    if (allowed != selectable().end() &&
        std::ranges::find(allowed->second, selector.role) == allowed->second.end()) {
      entry.problem("role cannot be selected here", selector.role,
                    fmt::format("role {} takes {}", config.role, fmt::join(allowed->second, ", ")));
    }
    config.selectors.push_back(std::move(selector));
  }
}

bool has_http_fields(const YamlMap& map) {
  return std::ranges::any_of(map.names(), net::is_http_config_field);
}

void check(const YamlMap& map, const KubernetesSdConfig& config) {
  const YamlValue& at = map.value();
  const bool own_http = has_http_fields(map);
  if (config.role.empty()) {
    at.problem(fmt::format("role is missing: one of {}", fmt::join(kRoles, ", ")));
  }
  if (!config.api_server.empty()) net::check_url(at, config.api_server);
  if (!config.api_server.empty() && !config.kubeconfig_file.empty()) {
    at.problem("api_server and kubeconfig_file are both given: keep one");
  }
  if (!config.kubeconfig_file.empty() && own_http) {
    at.problem("kubeconfig_file says how to reach the server: remove the fields of http_config");
  }
  if (config.api_server.empty() && config.kubeconfig_file.empty() && own_http) {
    at.problem("fields of http_config need an api_server");
  }
  if (config.own_namespace && !(config.api_server.empty() && config.kubeconfig_file.empty())) {
    at.problem("own_namespace is known only inside the cluster: name the namespace");
  }
}

}  // namespace

KubernetesSdConfig read_kubernetes_sd(const YamlValue& value) {
  YamlMap map(value);
  KubernetesSdConfig config;
  map.choice("role", config.role, kRoles);
  map.read("api_server", config.api_server);
  map.file("kubeconfig_file", config.kubeconfig_file);
  config.http = net::read_http_config(map);
  if (const auto namespaces = map.field("namespaces")) read_namespaces(*namespaces, config);
  if (const auto selectors = map.field("selectors")) read_selectors(*selectors, config);
  if (const auto metadata = map.field("attach_metadata")) read_metadata(*metadata, config);
  map.finish();
  check(map, config);
  return config;
}

}  // namespace binnacle::collect::discovery
