// Alerts as the server composes them: the router over the state file, its receivers, both APIs.
// Owned by the server, whose thread makes, starts and stops it; commits of a reload may come from
// any thread.
#pragma once

#include <memory>
#include <string>

#include "app/config_reload.h"
#include "base/config.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/router.h"
#include "store/access/audit_log.h"
#include "store/state/event_store.h"
#include "store/state/state_store.h"
#include "watch/alerts/alert_router.h"

namespace binnacle::app {

watch::alerts::AlertLimits alert_limits(const Config& config);

// All outlive the part.
struct AlertsPartTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  Random& random;
  Registry& registry;
  ThreadPool& pool;  // of templates and secrets
  store::state::StateStore& state;
  store::state::EventStore& events;
  store::access::AuditLog& audit;
  std::string version;
  std::string revision;
  std::string host_name;
  std::string listen;  // the first address that is listened at
  int64_t started_ms = 0;
};

class AlertsPart {
 public:
  // Reads the configuration and what is stored, registers the routes.
  static Result<std::unique_ptr<AlertsPart>> create(const Config& config, AlertsPartTools tools,
                                                    net::Router& router);
  ~AlertsPart();  // stop()

  // The file read aside; nothing changes before the commit.
  Result<ConfigReloader::Commit> prepare(const Config& next);

  void start();
  void stop();  // the I/O threads and the pool still run

  watch::alerts::AlertService& service() { return *router_; }

 private:
  explicit AlertsPart(AlertsPartTools tools) : tools_(std::move(tools)) {}

  struct Loaded;
  Result<Loaded> load(const Config& config) const;

  // Fixed after create().
  const AlertsPartTools tools_;
  const Log log_{"alerts"};
  std::string own_url_;  // where alerts.external_url is not set
  std::unique_ptr<watch::alerts::AlertRouter> router_;
};

}  // namespace binnacle::app
