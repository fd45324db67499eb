// Health as the server composes it: the service with its history, the checks of files, hooks on
// events, and the doors beside HTTP. Owned by the server, whose thread makes, starts and stops it;
// commits of a reload may come from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config_reload.h"
#include "app/listeners.h"
#include "base/config.h"
#include "base/file_system.h"
#include "net/router.h"
#include "store/access/audit_log.h"
#include "store/state/objects.h"
#include "store/state/state_store.h"
#include "watch/health/health_outside.h"
#include "watch/health/health_service.h"
#include "watch/health/hooks.h"

namespace binnacle::app {

watch::health::HealthOptions health_options(const Config& config, model::Labels series_labels,
                                            int64_t join_grace_ms);
std::vector<watch::health::HookSpec> hook_specs(const Config& config);

// All outlive the part.
struct HealthPartTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  ThreadPool& pool;
  store::state::StateStore& state;
  store::state::ObjectStore& objects;
  store::access::AuditLog& audit;
  model::EventBus& events;
  model::Appendable& samples;
  model::Queryable& reads;                 // of checks of series
  const model::NodeView* nodes = nullptr;  // null: no nodes are watched
  model::Labels series_labels;             // cluster, job, instance
  int64_t join_grace_ms = 0;
  net::Guard& guard;      // of the gRPC port
  ListenPolicy exposure;  // of doors beyond loopback
};

class HealthPart {
 public:
  // Reads what the API registered and the files of checks, opens the doors, registers the routes.
  static Result<std::unique_ptr<HealthPart>> create(const Config& config, HealthPartTools tools,
                                                    net::Router& router);
  ~HealthPart();  // stop()

  // Files of checks and hooks read aside; nothing changes before the commit.
  Result<ConfigReloader::Commit> prepare(const Config& next);

  void start();
  void stop();  // the I/O threads and the pool still run

  watch::health::HealthService& service() { return service_; }

 private:
  HealthPart(const Config& config, HealthPartTools tools);
  Result<std::vector<watch::health::ConfiguredCheck>> read_files(const Config& config);
  Status open_doors(const Config& config);

  // Fixed after construction.
  const HealthPartTools tools_;
  const watch::health::CheckTools check_tools_;
  watch::health::HealthHistory history_;
  watch::health::HealthService service_;
  watch::health::Hooks hooks_;
  std::unique_ptr<watch::health::HealthOutside> outside_;
  std::vector<watch::health::HookSpec> first_hooks_;  // until start()
};

}  // namespace binnacle::app
