#include "watch/health/check_runner.h"

#include <atomic>
#include <exception>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/config_units.h"
#include "base/log.h"
#include "net/wakeup.h"

namespace binnacle::watch::health {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// FNV-1a: the same check begins at the same place of its interval in every process.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash ^ (hash >> 32);
}

}  // namespace

struct CheckRunner::Core {
  Core(const Clock& c, Registry& registry, Sink s, RunnerOptions o)
      : clock(c),
        sink(std::move(s)),
        options(o),
        runs(registry.counter("binnacle_health_runs_total", "Runs of checks that ended.")),
        timeouts(registry.counter("binnacle_health_run_timeouts_total",
                                  "Runs of checks that did not end in time.")),
        skipped(registry.counter("binnacle_health_runs_skipped_total",
                                 "Turns of checks that passed while a run went on.")),
        thrown(registry.counter("binnacle_health_run_errors_total",
                                "Runs of checks that ended with an exception.")),
        running(registry.gauge("binnacle_health_runs_running", "Runs of checks that go on.")) {}

  // Held while the sink runs, so that stop() can wait for it.
  void hand_over(const std::string& name, const Reading& reading, const std::atomic<bool>& gone) {
    const MutexLock lock(mu);
    if (!stopped && !gone) sink(name, reading);
  }

  // Fixed after construction.
  const Clock& clock;
  const Sink sink;
  const RunnerOptions options;
  const Log log{"health"};
  Counter& runs;
  Counter& timeouts;
  Counter& skipped;
  Counter& thrown;
  Gauge& running;

  Mutex mu;
  bool stopped GUARDED_BY(mu) = false;
};

struct CheckRunner::Task : std::enable_shared_from_this<Task> {
  Task(std::shared_ptr<Core> c, const CheckSpec& s, std::unique_ptr<Check> what,
       asio::any_io_executor where)
      : core(std::move(c)),
        spec(s),
        check(std::move(what)),
        executor(where),
        turn(where),
        ended(where) {}

  milliseconds first_delay() const {
    const auto window =
        std::min<int64_t>(core->options.first_runs_within.count(), spec.interval_ms);
    return milliseconds(
        window <= 0 ? 0 : static_cast<int64_t>(hash_of(spec.name) % static_cast<uint64_t>(window)));
  }

  static asio::awaitable<void> drive(TaskPtr self, milliseconds delay);
  static asio::awaitable<void> run(TaskPtr self);
  asio::awaitable<void> take_turn();
  void judge_late(bool first);

  // Fixed after construction.
  const std::shared_ptr<Core> core;
  const CheckSpec spec;
  const std::unique_ptr<Check> check;
  const asio::any_io_executor executor;

  std::atomic<bool> gone = false;  // removed or replaced: no reading of it counts
  std::atomic<bool> running = false;
  std::atomic<uint64_t> runs = 0;
  std::atomic<uint64_t> timeouts = 0;
  std::atomic<uint64_t> skipped = 0;
  std::atomic<int64_t> next_monotonic_ms = 0;  // when its next turn is

  // Executor only.
  net::Wakeup turn;   // run now, or gone
  net::Wakeup ended;  // the run that went on is over
  int64_t began_ms = 0;
  bool late = false;  // the run was judged by the runner already
};

// A run by itself, so that who drives need not wait for it.
asio::awaitable<void> CheckRunner::Task::run(TaskPtr self) {
  Core& core = *self->core;
  const int64_t began_ms = self->began_ms;
  Reading reading;
  try {
    reading = co_await self->check->run(milliseconds(self->spec.timeout_ms));
  } catch (const std::exception& error) {
    core.thrown.add();
    core.log.error("a check broke off", {{"check", self->spec.name}, {"error", error.what()}});
    reading.message = fmt::format("the check broke off: {}", error.what());
  }
  reading.took_ms = core.clock.monotonic_ms() - began_ms;
  core.runs.add();
  core.running.add(-1);
  self->runs += 1;
  self->running = false;
  if (!self->late) core.hand_over(self->spec.name, reading, self->gone);
  self->ended.notify();
}

void CheckRunner::Task::judge_late(bool first) {
  if (first) {
    late = true;
    timeouts += 1;
    core->timeouts.add();
  } else {
    skipped += 1;
    core->skipped.add();
  }
  Reading reading;
  reading.health = Health::kFailed;
  reading.took_ms = core->clock.monotonic_ms() - began_ms;
  reading.message =
      fmt::format("did not end within {}: the run hangs for {} and the check waits for it",
                  format_duration_ms(spec.timeout_ms), format_duration_ms(reading.took_ms));
  core->hand_over(spec.name, reading, gone);
}

asio::awaitable<void> CheckRunner::Task::take_turn() {
  if (running) {
    judge_late(false);
    co_return;
  }
  late = false;
  running = true;
  began_ms = core->clock.monotonic_ms();
  core->running.add(1);
  asio::co_spawn(executor, run(shared_from_this()), asio::detached);
  const milliseconds limit = milliseconds(spec.timeout_ms) + core->options.grace;
  // What an earlier, late run notified does not end this wait early: `running` tells.
  const int64_t end_ms = began_ms + limit.count();
  while (running && !gone) {
    const int64_t left_ms = end_ms - core->clock.monotonic_ms();
    if (left_ms <= 0) break;
    co_await ended.wait_for(milliseconds(left_ms));
  }
  if (running && !gone) judge_late(true);
}

asio::awaitable<void> CheckRunner::Task::drive(TaskPtr self, milliseconds delay) {
  const Clock& clock = self->core->clock;
  int64_t next_ms = clock.monotonic_ms() + delay.count();
  while (!self->gone) {
    self->next_monotonic_ms = next_ms;
    const int64_t wait_ms = next_ms - clock.monotonic_ms();
    if (wait_ms > 0 && co_await self->turn.wait_for(milliseconds(wait_ms)))
      next_ms = clock.monotonic_ms();  // asked to run now
    if (self->gone) break;
    co_await self->take_turn();
    next_ms += self->spec.interval_ms;
    // Turns that passed meanwhile are not made up for.
    const int64_t now_ms = clock.monotonic_ms();
    if (next_ms < now_ms) next_ms = now_ms;
  }
}

CheckRunner::CheckRunner(net::IoThreads& io, const Clock& clock, Registry& registry, Sink sink,
                         RunnerOptions options)
    : io_(io), core_(std::make_shared<Core>(clock, registry, std::move(sink), options)) {}

CheckRunner::~CheckRunner() { stop(); }

void CheckRunner::put(const CheckSpec& spec, std::unique_ptr<Check> check) {
  const MutexLock lock(mu_);
  auto task = std::make_shared<Task>(core_, spec, std::move(check), io_.next().get_executor());
  TaskPtr& place = tasks_[spec.name];
  if (place != nullptr) {
    task->next_monotonic_ms = place->next_monotonic_ms.load();
    place->gone = true;
    asio::post(place->executor, [old = place] { old->turn.notify(), old->ended.notify(); });
  }
  place = std::move(task);
  if (started_) launch(place);
}

void CheckRunner::launch(const TaskPtr& task) {
  const int64_t now_ms = core_->clock.monotonic_ms();
  const int64_t next_ms = task->next_monotonic_ms;
  const milliseconds delay = next_ms > now_ms ? std::min(milliseconds(next_ms - now_ms),
                                                         milliseconds(task->spec.interval_ms))
                                              : task->first_delay();
  asio::co_spawn(task->executor, Task::drive(task, delay), asio::detached);
}

void CheckRunner::remove(const std::string& name) {
  const MutexLock lock(mu_);
  const auto found = tasks_.find(name);
  if (found == tasks_.end()) return;
  const TaskPtr task = found->second;
  task->gone = true;
  asio::post(task->executor, [task] { task->turn.notify(), task->ended.notify(); });
  tasks_.erase(found);
}

Status CheckRunner::run_now(const std::string& name) {
  const MutexLock lock(mu_);
  const auto found = tasks_.find(name);
  if (found == tasks_.end() || !started_)
    return fail(Code::kNotFound, fmt::format("run check {}: nothing runs it", name));
  const TaskPtr task = found->second;
  if (task->running) {
    return fail(Code::kFailedPrecondition,
                fmt::format("run check {}: a run goes on; wait for its end", name));
  }
  asio::post(task->executor, [task] {
    if (!task->running) task->turn.notify();
  });
  return {};
}

RunCounts CheckRunner::counts(const std::string& name) const {
  const MutexLock lock(mu_);
  const auto found = tasks_.find(name);
  if (found == tasks_.end()) return {};
  const Task& task = *found->second;
  return {task.runs, task.timeouts, task.skipped, task.running};
}

void CheckRunner::start() {
  const MutexLock lock(mu_);
  if (started_) return;
  started_ = true;
  for (const auto& [name, task] : tasks_) launch(task);
}

void CheckRunner::stop() {
  {
    const MutexLock lock(mu_);
    started_ = false;
    for (const auto& [name, task] : tasks_) {
      task->gone = true;
      asio::post(task->executor, [task = task] { task->turn.notify(), task->ended.notify(); });
    }
    tasks_.clear();
  }
  const MutexLock lock(core_->mu);
  core_->stopped = true;
}

}  // namespace binnacle::watch::health
