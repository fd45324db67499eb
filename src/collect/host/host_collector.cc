#include "collect/host/host_collector.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/check.h"
#include "collect/host/linux/parts.h"
#include "collect/host/tick_schedule.h"

namespace binnacle::collect::host {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kMinIntervalMs = 100;
constexpr int64_t kMaxIntervalMs =
    120'000;  // two of them must fit into a query's look-back (5 min)
// The slow lane looks this often whether a part is due; periods are multiples of it.
constexpr int64_t kSlowLaneMs = 5000;

// Parts with a period of their own go to the slow lane.
void split(Parts all, Parts& quick, Parts& slow) {
  for (auto& part : all) {
    Parts& lane = part->period_ms() == 0 ? quick : slow;
    lane.push_back(std::move(part));
  }
}

Status check_interval(int64_t ms) {
  if (ms >= kMinIntervalMs && ms <= kMaxIntervalMs) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("host collector: the interval must lie between {} ms and {} ms ({} ms)",
                          kMinIntervalMs, kMaxIntervalMs, ms));
}

}  // namespace

struct HostCollector::Lane {
  Lane(const char* name, int64_t shortest, Parts parts, const HostOptions& options,
       const Clock& clock, model::Appendable& store, Registry& registry, const model::Labels& extra)
      : thread_name(name),
        shortest_ms(shortest),
        parts(std::move(parts), extra, options.max_series, clock, store, registry) {}

  const char* const thread_name;
  const int64_t shortest_ms;  // the interval is not shorter, whatever the collector's
  PartSet parts;
};

Result<std::unique_ptr<HostCollector>> HostCollector::create(
    const HostOptions& options, FileSystem& files, const Clock& clock, model::Appendable& store,
    Registry& registry, const model::Labels& extra, Parts further) {
  TRY(check_interval(options.interval_ms));
  TRY_ASSIGN(Parts all, linux_parts(options, files, clock));
  std::ranges::move(further, std::back_inserter(all));
  Parts quick;
  Parts slow;
  split(std::move(all), quick, slow);
  return std::unique_ptr<HostCollector>(
      new HostCollector(options, std::move(quick), std::move(slow), clock, store, registry, extra));
}

HostCollector::HostCollector(const HostOptions& options, Parts quick, Parts slow,
                             const Clock& clock, model::Appendable& store, Registry& registry,
                             const model::Labels& extra)
    : clock_(clock),
      missed_ticks_(registry.counter("binnacle_collector_missed_ticks_total",
                                     "Ticks passed over because the one before was not done.")),
      interval_ms_(options.interval_ms) {
  lanes_.push_back(std::make_unique<Lane>("host-quick", kMinIntervalMs, std::move(quick), options,
                                          clock, store, registry, extra));
  lanes_.push_back(std::make_unique<Lane>("host-slow", kSlowLaneMs, std::move(slow), options, clock,
                                          store, registry, extra));
}

HostCollector::~HostCollector() { stop(); }

void HostCollector::start() {
  CHECK(threads_.empty());
  {
    MutexLock lock(mu_);
    stopping_ = false;
  }
  for (const auto& lane : lanes_) threads_.emplace_back([this, &lane = *lane] { run(lane); });
}

void HostCollector::stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

Status HostCollector::set_interval(int64_t interval_ms) {
  TRY(check_interval(interval_ms));
  {
    MutexLock lock(mu_);
    interval_ms_ = interval_ms;
  }
  wake_.notify_all();
  return {};
}

int64_t HostCollector::interval_of(const Lane& lane) const {
  MutexLock lock(mu_);
  return std::max(interval_ms_, lane.shortest_ms);
}

bool HostCollector::stopping() const {
  MutexLock lock(mu_);
  return stopping_;
}

// A new interval counts from the tick before, so that changes to and fro add no ticks.
void HostCollector::run(Lane& lane) {
  pthread_setname_np(pthread_self(), lane.thread_name);
  int64_t first_ns = clock_.monotonic_ns();
  while (!stopping()) {
    const int64_t interval_ms = interval_of(lane);
    int64_t last_ns = first_ns - interval_ms * kNsPerMs;
    TickSchedule schedule(interval_ms * kNsPerMs, first_ns);
    StampAligner stamps(interval_ms);
    while (wait_until(schedule.next_ns(), lane, interval_ms)) {
      last_ns = schedule.next_ns();
      // The PartSet has counted and logged a failure; the next tick tries again.
      (void)lane.parts.collect(stamps.align(clock_.wall_ms()));
      missed_ticks_.add(static_cast<double>(schedule.advance(clock_.monotonic_ns())));
    }
    first_ns = std::max(clock_.monotonic_ns(), last_ns + interval_of(lane) * kNsPerMs);
  }
}

bool HostCollector::wait_until(int64_t monotonic_ns, const Lane& lane, int64_t interval_ms) {
  MutexLock lock(mu_);
  while (!stopping_ && std::max(interval_ms_, lane.shortest_ms) == interval_ms) {
    const int64_t left_ns = monotonic_ns - clock_.monotonic_ns();
    if (left_ns <= 0) return true;
    // Rounded up: a tick a fraction of a millisecond late is better than turning round that often.
    wake_.wait_for_ms(mu_, (left_ns + kNsPerMs - 1) / kNsPerMs);
  }
  return false;
}

Status HostCollector::collect_once(int64_t now_ms) {
  CHECK(threads_.empty());
  for (const auto& lane : lanes_) TRY(lane->parts.collect(now_ms));
  return {};
}

std::vector<MetricInfo> HostCollector::metadata() const {
  std::vector<MetricInfo> all;
  for (const auto& lane : lanes_) {
    for (MetricInfo& info : lane->parts.metadata()) all.push_back(std::move(info));
  }
  std::ranges::sort(all, {}, &MetricInfo::name);
  return all;
}

}  // namespace binnacle::collect::host
