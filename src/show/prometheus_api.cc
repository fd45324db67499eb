#include "show/prometheus_api.h"

#include <memory>

#include "show/federate.h"
#include "show/metadata_api.h"
#include "show/query_api.h"
#include "show/remote_read.h"
#include "show/rules_api.h"
#include "show/status_api.h"
#include "show/targets_api.h"

namespace binnacle::show {

Status register_prometheus_api(net::Router& router, PrometheusApiDeps deps) {
  const auto shared =
      std::make_shared<const PrometheusApiDeps>(std::move(deps));  // by every route's handler
  TRY(register_query_api(router, shared));
  TRY(register_metadata_api(router, shared));
  TRY(register_status_api(router, shared));
  TRY(register_targets_api(router, shared));
  TRY(register_rules_api(router, shared));
  TRY(register_federate(router, shared));
  return register_remote_read(router, shared);
}

}  // namespace binnacle::show
