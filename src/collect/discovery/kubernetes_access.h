// How the API server of a Kubernetes cluster is reached: as the pod that we run in, by a kubeconfig
// file, or as the configuration says. Pure but for reading files.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "collect/discovery/source_config.h"

namespace binnacle::collect::discovery {

// What a pod is told of its cluster.
struct PodEnvironment {
  std::function<std::string(const char* name)> variable;  // "" when not set
  std::string service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";

  static PodEnvironment of_process();
};

struct KubernetesAccess {
  std::string server;          // "https://10.0.0.1:443", no slash at the end
  net::HttpClientConfig http;  // the token's file is read again for each request
  std::string own_namespace;   // with own_namespace of the configuration
};

// Errors say which file or variable is missing.
Result<KubernetesAccess> find_kubernetes(const KubernetesSdConfig& config, FileSystem& files,
                                         const PodEnvironment& pod);

}  // namespace binnacle::collect::discovery
