// Sends alerts to Alertmanagers outside, as Prometheus' notifier does: each has a queue of its own,
// so that one that hangs delays no other; when the queue is full its oldest go. A request that
// fails and may yet pass is repeated for a while: not for long, as alerts that go on are told again
// anyway. Any thread; stop() before the I/O threads are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "model/alert.h"
#include "model/relabel.h"
#include "model/target.h"
#include "net/http_client_config.h"
#include "net/io_threads.h"
#include "watch/rules/alertmanager_urls.h"

namespace binnacle::watch::rules {

// Alertmanagers that are reached in the same way: one entry of `alerting.alertmanagers`.
struct AlertmanagerSpec {
  std::vector<model::RelabelRule> relabel;        // of the targets
  std::vector<model::RelabelRule> alert_relabel;  // of the alerts for them
  std::string scheme = "http";
  std::string path_prefix;
  int64_t timeout_ms = 10'000;
  net::HttpClientConfig http;
};

struct AlertmanagerOptions {
  size_t queue_capacity = 10'000;  // alerts, of each Alertmanager
  size_t max_batch = 256;          // alerts of one request
  size_t max_targets = 64;         // of one entry; as many dropped ones are remembered
  int64_t retry_for_ms = 30'000;   // less than rules.resend_delay, after which they are told anew
};

// The URL that a discovered target stands for; "" when relabelling drops it.
std::string alertmanager_url(const AlertmanagerSpec& spec, const model::Labels& target);

// As POST /api/v2/alerts takes them.
std::string alerts_json(const std::vector<model::Alert>& alerts);

// All outlive it.
struct AlertmanagerTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
};

class Alertmanagers {
 public:
  Alertmanagers(AlertmanagerOptions options, AlertmanagerTools tools);
  ~Alertmanagers();  // stop()

  // By the name of the entry; the targets of one whose settings changed come with set_targets().
  void set_specs(std::map<std::string, AlertmanagerSpec> specs) EXCLUDES(mu_);
  void set_targets(const std::string& spec, const std::vector<model::TargetGroup>& groups)
      EXCLUDES(mu_);

  void send(const std::vector<model::Alert>& alerts) EXCLUDES(mu_);
  AlertmanagerUrls urls() const EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);

 private:
  struct Target;
  using TargetPtr = std::shared_ptr<Target>;  // with the request under way
  struct Entry {
    AlertmanagerSpec spec;
    std::map<std::string, TargetPtr> targets;  // by URL
    std::set<std::string> dropped;             // URLs
  };

  // Fixed after construction.
  const AlertmanagerOptions options_;
  const AlertmanagerTools tools_;

  mutable Mutex mu_;
  std::map<std::string, Entry> entries_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::watch::rules
