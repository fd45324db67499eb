// Runs the sources of all jobs and hands each job all of its target groups when some changed: at
// once after a quiet time, otherwise no more often than the settle time. Jobs with the same source
// share it, and a reload keeps the sources that are still asked for, with what they know. Owned by
// the server or agent; apply() and stop() by its thread, sources() by any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "collect/discovery/source_config.h"
#include "collect/discovery/source_health.h"
#include "model/target.h"

namespace binnacle::collect::discovery {

// Null is no answer: what a configuration may name can be made.
using SourceFactory =
    std::function<std::unique_ptr<model::TargetSource>(const SourceConfig&, SourceHealth&)>;

struct DiscoveryJob {
  std::string name;
  std::vector<SourceConfig> sources;
};

// One source of one job, for the API.
struct SourceView {
  std::string job;
  std::string mechanism;
  size_t targets = 0;
  std::string last_error;
  int64_t last_success_ms = 0;  // wall time; 0: never
};

class DiscoveryManager {
 public:
  // All groups of a job there are now. From the manager's thread, one call at a time; not for jobs
  // that apply() removed.
  using Update =
      std::function<void(const std::string& job, std::vector<model::TargetGroup> groups)>;

  // References outlive it.
  DiscoveryManager(SourceFactory factory, Update update, const Clock& clock, Registry& registry,
                   int64_t settle_ms = 5'000);
  ~DiscoveryManager();
  DiscoveryManager(const DiscoveryManager&) = delete;
  DiscoveryManager& operator=(const DiscoveryManager&) = delete;

  void start();  // its thread; without it, deliver_due() is the caller's
  void stop() EXCLUDES(mu_, applying_);

  // The jobs there are from now on.
  void apply(const std::vector<DiscoveryJob>& jobs) EXCLUDES(mu_, applying_);

  // Hands on what is due; how long until something else is, in milliseconds.
  std::optional<int64_t> deliver_due() EXCLUDES(mu_);

  std::vector<SourceView> sources() const EXCLUDES(mu_);

 private:
  struct Provider;
  struct JobState {
    std::vector<std::string> keys;  // of its sources
    bool dirty = true;
    std::optional<int64_t> delivered_ms = std::nullopt;  // monotonic; of targets, not of none
  };
  using Providers = std::map<std::string, std::shared_ptr<Provider>>;

  MechanismInstruments& instruments(const std::string& mechanism) REQUIRES(applying_);
  std::shared_ptr<Provider> make_provider(const SourceConfig& config) REQUIRES(applying_);
  void take(Provider& provider, std::vector<model::TargetGroup> groups) EXCLUDES(mu_);
  std::vector<model::TargetGroup> groups_of(const JobState& job) const REQUIRES(mu_);
  void run() EXCLUDES(mu_);

  // Fixed after construction
  const SourceFactory factory_;
  const Update update_;
  const Clock& clock_;
  Registry& registry_;
  const int64_t settle_ms_;
  std::thread thread_;  // of the owner's thread

  Mutex applying_;  // held while sources start and stop; taken before mu_
  std::map<std::string, std::unique_ptr<MechanismInstruments>> instruments_ GUARDED_BY(applying_);

  mutable Mutex mu_;
  CondVar changed_;
  Providers providers_ GUARDED_BY(mu_);  // by key
  std::map<std::string, JobState> jobs_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::collect::discovery
