// GET /api/health and /api/binnacle/v1/health/...: the whole tree, checks and their history; and
// the calls that register, remove, run, maintain and feed checks. Reading asks for a viewer's key,
// changing for an operator's, pushing a result for one of ingest. Shapes: docs/health.md.
#pragma once

#include "base/error.h"
#include "net/router.h"
#include "store/access/audit_log.h"
#include "watch/health/health_service.h"

namespace binnacle::watch::health {

// All outlive the router.
Status register_health_api(net::Router& router, HealthService& service,
                           store::access::AuditLog& audit);

}  // namespace binnacle::watch::health
