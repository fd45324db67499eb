// Groups of the roles `endpoints` and `endpointslice`. Part of kubernetes_groups.
#pragma once

#include "collect/discovery/kubernetes_groups.h"

namespace binnacle::collect::discovery {

void fill_endpoints_group(const nlohmann::json& object, KubeMetadata attach, KubeLookup& lookup,
                          model::TargetGroup& group);
void fill_endpoint_slice_group(const nlohmann::json& object, KubeMetadata attach,
                               KubeLookup& lookup, model::TargetGroup& group);

}  // namespace binnacle::collect::discovery
