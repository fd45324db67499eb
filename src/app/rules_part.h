// Rules as the server composes them: groups of files, of the binary and of a prometheus.yml, the
// service that evaluates them, and the ways that their alerts take. Owned by the server, whose
// thread makes, starts and stops it; commits of a reload may come from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config_reload.h"
#include "app/prometheus_file.h"
#include "base/config.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/random.h"
#include "collect/discovery/discovery_manager.h"
#include "model/alert.h"
#include "store/state/state_store.h"
#include "watch/rules/alert_notifier.h"
#include "watch/rules/alertmanagers.h"
#include "watch/rules/rule_service.h"

namespace binnacle::app {

// All outlive the part.
struct RulesPartTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  Random& random;
  Registry& registry;
  ThreadPool& discovery_pool;  // for finding Alertmanagers: files and name servers block
  store::state::StateStore& state;
  model::Appendable& samples;
  model::Queryable& reads;
  model::AlertSink* router = nullptr;  // null: alerts show in the API alone
  std::function<query::promql::QueryLimits()> limits;
  std::function<std::string()> own_url;  // where rules.external_url is not set
};

// The groups that a configuration asks for. `prometheus` is what a prometheus.yml says; empty:
// there is none. kInvalidArgument with each problem on a line.
Result<std::vector<watch::rules::ConfiguredGroup>> configured_groups(
    const Config& config, const PrometheusFile& prometheus, FileSystem& files,
    const std::string& external_url);

// Those of the files that a prometheus.yml names alone, to check them.
Result<std::vector<watch::rules::ConfiguredGroup>> prometheus_groups(
    const PrometheusFile& prometheus, FileSystem& files);

class RulesPart {
 public:
  RulesPart(const Config& config, RulesPartTools tools);
  ~RulesPart();  // stop()

  // Reads rule files and the prometheus.yml at `path` ("": none) aside; the commit makes them hold.
  // The first one brings back what alerts had come to.
  Result<ConfigReloader::Commit> prepare(const Config& next, const std::string& path);

  void start();
  void stop();  // the I/O threads and the store still run

  const watch::rules::RulesView& view() const { return service_; }
  watch::rules::AlertmanagerUrls alertmanagers() const { return outside_.urls(); }

 private:
  void apply_alertmanagers() EXCLUDES(applying_);

  // Fixed after construction.
  const RulesPartTools tools_;
  watch::rules::Alertmanagers outside_;
  watch::rules::AlertNotifier notifier_;
  watch::rules::RuleService service_;
  collect::discovery::DiscoveryManager discovery_;

  Mutex applying_;
  bool started_ GUARDED_BY(applying_) = false;
  std::vector<PrometheusAlertmanager> alertmanagers_ GUARDED_BY(applying_);  // that hold now
  uint64_t applied_ GUARDED_BY(applying_) = 0;  // names the entries of one configuration
};

}  // namespace binnacle::app
