// Health as a running part: holds all checks, has them run, judges their readings, sums them up and
// tells of every change: as an event (before anyone else hears of it), in the history, as series,
// to observers. Checks come from files, over the API (kept in the state store; never with programs
// to execute), pushed by applications and agents, and from other parts of this process. Any thread
// but where a call says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/ordered_work.h"
#include "base/thread_pool.h"
#include "model/appender.h"
#include "model/event.h"
#include "model/labels.h"
#include "model/node.h"
#include "net/io_threads.h"
#include "store/state/objects.h"
#include "watch/health/check_factory.h"
#include "watch/health/check_runner.h"
#include "watch/health/health_history.h"
#include "watch/health/health_series.h"
#include "watch/health/health_tree.h"

namespace binnacle::watch::health {

struct HealthOptions {
  std::string cluster = "default";
  model::Labels series_labels;  // of every series: cluster, job, instance
  int64_t look_interval_ms = 1'000;
  int64_t series_interval_ms = 10'000;
  int64_t join_grace_ms = 300'000;  // an expected node that was not seen so long is critical
  HistoryRetention history;
  size_t max_checks = 10'000;
  bool create_pushed = true;       // a pushed reading makes its check when nobody registered it
  int64_t pushed_ttl_ms = 60'000;  // of such a check, where the push names none
  int64_t forget_pushed_ms = int64_t{24} * 3'600'000;  // such a check, when nothing came so long
  // By a node's role; a role that is not named is critical.
  std::map<std::string, Criticality> node_criticality;
  RunnerOptions runner;
};

// As read_checks() of check_factory.h, with its tools.
using ReadChecks = std::function<Result<std::vector<ConfiguredCheck>>(
    const std::string& file_name, std::string_view yaml, bool may_execute)>;

// All outlive the service.
struct HealthParts {
  net::IoThreads& io;
  const Clock& clock;
  Registry& registry;
  ThreadPool& pool;
  store::state::ObjectStore& objects;
  HealthHistory& history;
  model::EventBus& events;
  model::Appendable& samples;
  const model::NodeView* nodes = nullptr;  // null: no nodes are watched
  ReadChecks read_checks;
};

struct PushedReading {
  Reading reading;
  std::optional<int64_t> ttl_ms;
  // Of a check that this push makes.
  std::string component;
  std::string node;
  std::string description;
  std::optional<Criticality> criticality;
};

class HealthService {
 public:
  HealthService(HealthOptions options, HealthParts parts);
  ~HealthService();  // stop()
  HealthService(const HealthService&) = delete;
  HealthService& operator=(const HealthService&) = delete;

  // Takes what the API registered before. Not on I/O threads; before start(). What cannot be read
  // any more is logged and left.
  Status load() EXCLUDES(change_mu_, mu_);

  // All checks of files from now on. Errors leave the old ones: a name that the API has, a
  // dependency that is not there. check_files() tells without changing anything.
  Status check_files(const std::vector<ConfiguredCheck>& checks) EXCLUDES(change_mu_, mu_);
  Status set_files(std::vector<ConfiguredCheck> checks) EXCLUDES(change_mu_, mu_);

  // One check as it stands in a file, as YAML or JSON; kept. Answers its name. Not on I/O threads.
  Result<std::string> register_check(std::string_view text) EXCLUDES(change_mu_, mu_);
  // kFailedPrecondition: a file has it. Not on I/O threads.
  Status remove_check(const std::string& name) EXCLUDES(change_mu_, mu_);
  // `until_ms` 0 ends it. Kept. Not on I/O threads.
  Status maintain(const std::string& name, Maintenance maintenance) EXCLUDES(change_mu_, mu_);
  Status run_now(const std::string& name);

  // Quick. kNotFound: nobody registered the check and pushing makes none; kFailedPrecondition: the
  // check runs here; kResourceExhausted: too many checks.
  Status push(const std::string& name, const PushedReading& pushed) EXCLUDES(mu_);
  // The same for who must not wait: what is refused is counted and logged.
  void push_soon(std::string name, PushedReading pushed);
  // What another part of this process judges: an engine, a disk of ours. The check is made when it
  // is new, with the first reading. Quick.
  Status put_reading(const CheckSpec& spec, const Reading& reading) EXCLUDES(mu_);
  void remove_built_in(const std::string& name) EXCLUDES(mu_);

  // Nodes changed, time passed. By itself once a look interval; whoever sees a node change may call
  // it at once. Not on I/O threads.
  void look() EXCLUDES(mu_);

  // `reader` is quick and calls nothing here.
  void read(const std::function<void(const HealthTree&)>& reader) const EXCLUDES(mu_);
  RunCounts runs(const std::string& name) const { return runner_.counts(name); }
  HealthHistory& history() { return parts_.history; }
  const Clock& clock() const { return parts_.clock; }

  // Called on the pool, in order, after the changes are stored. Before start().
  using Observer = std::function<void(const Changes&)>;
  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

  // From the next look on; the cluster's name and the intervals of running stay.
  void set_options(HealthOptions options) EXCLUDES(mu_);

  void start();
  // Stores what changed; the pool and the I/O threads still run.
  void stop() EXCLUDES(mu_);

 private:
  struct Ticker;

  Moment now() const;
  void publish(Changes changes) REQUIRES(mu_);
  void store(const Changes& changes);
  void put(ConfiguredCheck check, CheckOrigin origin) REQUIRES(mu_);
  Status check_new(const std::vector<ConfiguredCheck>& checks, CheckOrigin origin) const
      REQUIRES(mu_);
  Result<ConfiguredCheck> read_one(std::string_view text) const;
  Status make_pushed(const std::string& name, const PushedReading& pushed) REQUIRES(mu_);
  std::vector<NodeUpdate> updates_of(const std::vector<model::Node>& nodes, const Moment& at) const
      REQUIRES(mu_);
  void forget_pushed(const Moment& at) REQUIRES(mu_);
  void forget(const std::string& name, const Moment& at) REQUIRES(mu_);
  void keep_house(const Moment& at) EXCLUDES(series_mu_, mu_);
  Status write_series(const Moment& at) REQUIRES(series_mu_) EXCLUDES(mu_);

  // Fixed after construction.
  const HealthParts parts_;
  const Log log_{"health"};
  Counter& lost_;
  Counter& series_errors_;
  Counter& refused_;
  const int64_t started_ms_;  // wall
  OrderedWork readings_;      // of checks that ran: no I/O thread waits for mu_
  OrderedWork work_;          // what is stored and told
  CheckRunner runner_;

  // Fixed before start().
  std::vector<Observer> observers_;
  std::shared_ptr<Ticker> ticker_;  // with its coroutine

  Mutex change_mu_;  // held over disk writes, so that one change ends before the next; before mu_

  mutable Mutex mu_;
  HealthOptions options_ GUARDED_BY(mu_);
  HealthTree tree_ GUARDED_BY(mu_);
  std::map<std::string, Maintenance> maintenance_ GUARDED_BY(mu_);  // of checks not there, too

  Mutex series_mu_;  // before mu_
  HealthSeries series_ GUARDED_BY(series_mu_);
  int64_t next_series_ms_ GUARDED_BY(series_mu_) = 0;
  int64_t next_prune_ms_ GUARDED_BY(series_mu_) = 0;
};

}  // namespace binnacle::watch::health
