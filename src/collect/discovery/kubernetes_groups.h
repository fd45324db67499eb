// Target groups made of Kubernetes' objects, by role, with the labels that Prometheus documents
// ("kubernetes_sd_config"). Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "model/target.h"

namespace binnacle::collect::discovery {

enum class KubeKind : uint8_t {
  kPod,
  kService,
  kEndpoints,
  kEndpointSlice,
  kNode,
  kIngress,
  kNamespace
};
std::string_view kube_kind_name(KubeKind kind);  // "pod", "endpointslice"

// Other objects that a group is made of.
class KubeLookup {
 public:
  virtual ~KubeLookup() = default;
  // Null when there is none. The group changes when that object does, comes or goes.
  virtual const nlohmann::json* find(KubeKind kind, const std::string& key) = 0;
};

struct KubeMetadata {
  bool node = false;
  bool name_space = false;
};

// "pod/namespace/name": also of an object that is gone.
std::string kube_group_source(KubeKind role, const std::string& key);

model::TargetGroup kube_group(KubeKind role, const std::string& key, const nlohmann::json& object,
                              KubeMetadata attach, KubeLookup& lookup);

}  // namespace binnacle::collect::discovery
