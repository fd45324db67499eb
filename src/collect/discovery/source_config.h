// Where targets come from, as Prometheus' `*_sd_configs` have it. Plain values; defaults are
// Prometheus'. Source: Prometheus documentation, "Configuration".
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/target.h"
#include "net/http_client_config.h"

namespace binnacle::collect::discovery {

struct StaticConfig {
  std::vector<model::TargetGroup> groups;
};

struct FileSdConfig {
  std::vector<std::string> files;  // globs
  int64_t refresh_interval_ms = 300'000;
};

struct HttpSdConfig {
  std::string url;
  int64_t refresh_interval_ms = 60'000;
  net::HttpClientConfig http;
};

struct DnsSdConfig {
  std::vector<std::string> names;
  std::string type = "SRV";  // or A, AAAA, MX, NS
  uint16_t port = 0;         // of all but SRV
  int64_t refresh_interval_ms = 30'000;
};

struct KubernetesSelector {
  std::string role;
  std::string label;
  std::string field;
};

struct KubernetesSdConfig {
  std::string role;  // pod, service, endpoints, endpointslice, node, ingress
  // All empty: the service account of the pod that we run in.
  std::string api_server;
  std::string kubeconfig_file;
  net::HttpClientConfig http;  // with api_server
  bool own_namespace = false;
  std::vector<std::string> namespaces;  // empty, without own_namespace: all
  std::vector<KubernetesSelector> selectors;
  bool attach_node = false;
  bool attach_namespace = false;
};

// One source of targets. Sources with the same key are the same one: a reload keeps it, and jobs
// share it.
struct SourceConfig {
  std::string mechanism;  // "static", "file", "http", "dns", "kubernetes"
  std::string key;        // may hold secrets: never shown
  std::variant<StaticConfig, FileSdConfig, HttpSdConfig, DnsSdConfig, KubernetesSdConfig> config;
};

}  // namespace binnacle::collect::discovery
