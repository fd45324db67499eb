#include "collect/mesh/mesh_prober.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/mutex.h"
#include "net/tcp_probe.h"

namespace binnacle::collect::mesh {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMaxWaitingRows = 1024;  // when nobody stores them, the oldest go

struct TimedRow {
  int64_t time_ms = 0;
  MeshRow row;
};

}  // namespace

class MeshProber::Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(MeshPlanner planner, net::IoThreads& io, const Clock& clock, Registry& registry)
      : executor_(io.next().get_executor()),
        clock_(clock),
        probes_(registry.counter("binnacle_mesh_probes_total",
                                 "Connections made to measure the way to a peer.")),
        lost_(registry.counter("binnacle_mesh_probes_lost_total",
                               "Of these, those that failed or took too long.")),
        planner_(std::move(planner)),
        timer_(executor_) {}

  void start() {
    asio::co_spawn(
        executor_, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->run(); },
        asio::detached);
  }

  void stop() {
    asio::post(executor_, [self = shared_from_this()] {
      self->stopping_ = true;
      self->timer_.cancel();
    });
  }

  void set_peers(std::vector<link::Peer> peers) {
    asio::post(executor_, [self = shared_from_this(), peers = std::move(peers)]() mutable {
      self->planner_.set_peers(std::move(peers));
    });
  }

  std::vector<TimedRow> take_rows() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return std::exchange(rows_, {});
  }

 private:
  asio::awaitable<void> run() {
    while (!stopping_) {
      MeshPlanner::Step step = planner_.tick(clock_.monotonic_ms(), clock_.wall_ms());
      if (!step.rows.empty()) keep(std::move(step.rows));
      for (MeshProbe& probe : step.probes) {
        probes_.add();
        asio::co_spawn(executor_, measure(shared_from_this(), std::move(probe)), asio::detached);
      }
      const int64_t wait_ms = planner_.next_due_ms() - clock_.monotonic_ms();
      timer_.expires_after(milliseconds(std::max<int64_t>(wait_ms, 1)));
      co_await timer_.async_wait(kAwait);
    }
  }

  static asio::awaitable<void> measure(std::shared_ptr<Driver> self, MeshProbe probe) {
    const auto took =
        co_await net::probe_tcp(probe.address, milliseconds(probe.timeout_ms), self->clock_);
    if (!took) self->lost_.add();
    self->planner_.outcome(probe.id, took ? std::optional<int64_t>(*took) : std::nullopt);
  }

  void keep(std::vector<MeshRow> rows) EXCLUDES(mu_) {
    const int64_t now_ms = clock_.wall_ms();
    const MutexLock lock(mu_);
    for (MeshRow& row : rows) rows_.push_back({now_ms, std::move(row)});
    if (rows_.size() > kMaxWaitingRows)
      rows_.erase(rows_.begin(), rows_.end() - static_cast<ptrdiff_t>(kMaxWaitingRows));
  }

  // Fixed after construction.
  const asio::any_io_executor executor_;
  const Clock& clock_;
  Counter& probes_;
  Counter& lost_;

  // Executor only.
  MeshPlanner planner_;
  asio::steady_timer timer_;
  bool stopping_ = false;

  Mutex mu_;
  std::vector<TimedRow> rows_ GUARDED_BY(mu_);
};

MeshProber::MeshProber(MeshPlanner planner, net::IoThreads& io, const Clock& clock,
                       Registry& registry, model::Labels labels)
    : driver_(std::make_shared<Driver>(std::move(planner), io, clock, registry)),
      labels_(std::move(labels)) {}

MeshProber::~MeshProber() { stop(); }

void MeshProber::start() { driver_->start(); }
void MeshProber::stop() { driver_->stop(); }
void MeshProber::set_peers(std::vector<link::Peer> peers) { driver_->set_peers(std::move(peers)); }

Result<size_t> MeshProber::collect_once(model::Appendable& store) {
  const std::vector<TimedRow> rows = driver_->take_rows();
  if (rows.empty()) return size_t{0};
  const auto appender = store.appender();
  size_t refused = 0;
  const auto append = [&](const TimedRow& timed, std::string_view metric, double value) {
    model::LabelsBuilder labels(labels_);
    labels.set(model::kMetricName, metric).set("peer", timed.row.peer);
    if (!appender->append(model::kNoSeries, labels.build(), {timed.time_ms, value})) ++refused;
  };
  for (const TimedRow& timed : rows) {
    append(timed, "binnacle_mesh_loss_ratio", timed.row.loss_ratio);
    if (timed.row.round_trip_seconds)
      append(timed, "binnacle_mesh_round_trip_seconds", *timed.row.round_trip_seconds);
    if (timed.row.jitter_seconds)
      append(timed, "binnacle_mesh_jitter_seconds", *timed.row.jitter_seconds);
  }
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  return refused + report.refused.size();
}

}  // namespace binnacle::collect::mesh
