// Alertmanager's API v2 at /api/v2, whole and there alone, and the own API of what is beyond it at
// /api/binnacle/v1/alerts. Reading asks for a viewer's key, sending alerts for one of ingest, what
// an operator decides for an operator's, and that is audited. Shapes: docs/api.md.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "net/router.h"
#include "store/access/audit_log.h"
#include "watch/alerts/alert_intake.h"
#include "watch/alerts/alert_service.h"

namespace binnacle::watch::alerts {

// All outlive the router.
struct AlertApiTools {
  AlertService& service;
  const Clock& clock;
  store::access::AuditLog& audit;
  AlertIntake& intake;  // of the same service
  ThreadPool& pool;     // reads large requests
  std::string version;
  std::string revision;
  std::string node_name;  // the one peer of the cluster that clients of Alertmanager ask about
  std::string address;    // its own
  int64_t started_ms = 0;
  size_t max_body_bytes = size_t{32} << 20;  // of a request that sends alerts
};

Status register_alert_api(net::Router& router, const AlertApiTools& tools);

}  // namespace binnacle::watch::alerts
