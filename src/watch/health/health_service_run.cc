// What the service does by itself: looks at nodes and the time, stores what changed, writes series.
#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "net/run_on_pool.h"
#include "net/wakeup.h"
#include "watch/health/health_service.h"

namespace binnacle::watch::health {

namespace asio = boost::asio;

namespace {

constexpr int64_t kPruneEveryMs = 600'000;
constexpr int64_t kLongestDrainMs = 10'000;

}  // namespace

// The clock's coroutine, which may outlive the service: then it has no owner.
struct HealthService::Ticker {
  Ticker(HealthService& service, asio::any_io_executor where, int64_t every_ms)
      : executor(where), interval(every_ms), stopped(where), owner(&service) {}

  static asio::awaitable<void> run(std::shared_ptr<Ticker> self, ThreadPool& pool) {
    while (!co_await self->stopped.wait_for(self->interval)) {
      // A pool that is full or stopping takes it the next time.
      (void)co_await net::run_on_pool(pool, [self] {
        const MutexLock lock(self->mu);
        if (self->owner != nullptr) self->owner->look();
      });
    }
  }

  const asio::any_io_executor executor;
  const std::chrono::milliseconds interval;
  net::Wakeup stopped;  // Executor only

  Mutex mu;
  HealthService* owner GUARDED_BY(mu);
};

void HealthService::start() {
  if (ticker_ != nullptr) return;
  int64_t interval_ms = 0;
  {
    const MutexLock lock(mu_);
    interval_ms = options_.look_interval_ms;
  }
  runner_.start();
  ticker_ = std::make_shared<Ticker>(*this, parts_.io.next().get_executor(), interval_ms);
  asio::co_spawn(ticker_->executor, Ticker::run(ticker_, parts_.pool), asio::detached);
}

void HealthService::stop() {
  if (ticker_ != nullptr) {
    asio::post(ticker_->executor, [ticker = ticker_] { ticker->stopped.notify(); });
    const MutexLock lock(ticker_->mu);
    ticker_->owner = nullptr;
  }
  runner_.stop();
  (void)readings_.drain(kLongestDrainMs);  // those that are left would be the last before a start
  if (!work_.drain(kLongestDrainMs))
    log_.warn("changes of health not stored: the stop took too long");
}

void HealthService::set_options(HealthOptions options) {
  const MutexLock lock(mu_);
  options.cluster = options_.cluster;
  options.look_interval_ms = options_.look_interval_ms;
  options.runner = options_.runner;
  options_ = std::move(options);
}

void HealthService::read(const std::function<void(const HealthTree&)>& reader) const {
  const MutexLock lock(mu_);
  reader(tree_);
}

void HealthService::publish(Changes changes) {
  if (changes.empty()) return;
  const auto count = static_cast<double>(changes.size());
  if (const auto taken = work_.post([this, changes = std::move(changes)] { store(changes); });
      !taken) {
    lost_.add(count);
  }
}

void HealthService::store(const Changes& changes) {
  std::map<std::string, int64_t> events;  // of checks that changed
  int64_t last = 0;
  for (const HealthChange& change : changes) {
    const bool check = change.scope == Scope::kCheck;
    const auto cause = events.find(change.deciding);
    const auto id = parts_.events.publish(
        event_of(change, check ? 0 : (cause == events.end() ? last : cause->second)));
    if (!id) {
      lost_.add();
      log_.warn("a change of health not published", {{"error", id.error().message}});
      continue;
    }
    last = *id;
    if (check) events[change.name] = *id;
  }
  if (const auto kept = parts_.history.add(changes); !kept) {
    lost_.add(static_cast<double>(changes.size()));
    log_.warn("changes of health not kept in the history", {{"error", kept.error().message}});
  }
  for (const Observer& observer : observers_) observer(changes);
}

std::vector<NodeUpdate> HealthService::updates_of(const std::vector<model::Node>& nodes,
                                                  const Moment& at) const {
  std::vector<NodeUpdate> updates;
  for (const model::Node& node : nodes) {
    NodeUpdate update;
    update.fact = {.name = node.name, .state = node.state, .since_ms = node.since_ms};
    // Of a node that was never seen, the wait begins no earlier than this process.
    const int64_t waited_ms = at.wall_ms - std::max(node.since_ms, started_ms_);
    update.fact.overdue =
        node.state == model::NodeState::kUnknown && waited_ms > options_.join_grace_ms;
    if (const auto found = options_.node_criticality.find(node.role);
        found != options_.node_criticality.end())
      update.criticality = found->second;
    updates.push_back(std::move(update));
  }
  return updates;
}

void HealthService::forget_pushed(const Moment& at) {
  std::vector<std::string> gone;
  for (const auto& [name, row] : tree_.checks()) {
    if (row.spec.origin == CheckOrigin::kPushed &&
        at.monotonic_ms - row.state.last_monotonic_ms > options_.forget_pushed_ms)
      gone.push_back(name);
  }
  for (const std::string& name : gone) forget(name, at);
}

void HealthService::look() {
  const std::vector<model::Node> nodes =
      parts_.nodes == nullptr ? std::vector<model::Node>() : parts_.nodes->nodes();
  const Moment at = now();
  {
    const MutexLock lock(mu_);
    publish(tree_.set_nodes(updates_of(nodes, at), at));
    forget_pushed(at);
    publish(tree_.look(at));
  }
  keep_house(at);
}

void HealthService::keep_house(const Moment& at) {
  HistoryRetention retention;
  int64_t series_interval_ms = 0;
  {
    const MutexLock lock(mu_);
    retention = options_.history;
    series_interval_ms = options_.series_interval_ms;
  }
  const MutexLock lock(series_mu_);
  if (at.monotonic_ms >= next_series_ms_) {
    next_series_ms_ = at.monotonic_ms + series_interval_ms;
    if (const auto written = write_series(at); !written) {
      series_errors_.add();
      log_.warn("series of health not stored", {{"error", written.error().message}});
    }
  }
  if (at.monotonic_ms < next_prune_ms_) return;
  next_prune_ms_ = at.monotonic_ms + kPruneEveryMs;
  if (const auto pruned = parts_.history.prune(retention, at.wall_ms); !pruned)
    log_.warn("old history of health not removed", {{"error", pruned.error().message}});
}

Status HealthService::write_series(const Moment& at) {
  std::vector<SeriesPoint> points;
  {
    const MutexLock lock(mu_);
    std::map<std::string, RunCounts> counts;
    for (const auto& [name, row] : tree_.checks()) {
      if (row.spec.origin == CheckOrigin::kFile || row.spec.origin == CheckOrigin::kApi)
        counts.emplace(name, runner_.counts(name));
    }
    points = series_of(tree_, counts, options_.series_labels);
  }
  return series_.write(points, at.wall_ms);
}

}  // namespace binnacle::watch::health
