#include "collect/engines/engine_pollers.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <limits>

#include "base/check.h"

namespace binnacle::collect::engines {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

bool same(const PollTarget& a, const PollTarget& b) {
  // Credentials may differ without a name to compare them by; who changes them ends the instance
  // and begins it anew.
  return a.engine == b.engine && a.url == b.url && a.labels == b.labels &&
         a.interval_ms == b.interval_ms && a.timeout_ms == b.timeout_ms &&
         a.max_body_bytes == b.max_body_bytes && a.max_series == b.max_series;
}

}  // namespace

struct EnginePollers::Instance {
  Instance(PollTarget target, FileSystem& files, const Clock& clock, Registry& registry)
      : poller(std::move(target), files, clock, registry) {}
  EnginePoller poller;
  // Under the owner's lock.
  int64_t due_ns = 0;
  bool open = false;
};

struct EnginePollers::Answered {
  std::shared_ptr<Instance> instance;
  PollResult result;
};

EnginePollers::EnginePollers(net::IoThreads& io, FileSystem& files, const Clock& clock,
                             model::Appendable& store, Registry& registry)
    : io_(io),
      files_(files),
      clock_(clock),
      store_(store),
      registry_(registry),
      refused_(registry.counter("binnacle_engine_poll_samples_refused_total",
                                "Samples of polled engines that the store refused.")),
      failed_(registry.counter("binnacle_engine_poll_commits_failed_total",
                               "Batches of polled engines' samples that the store did not take.")) {
}

EnginePollers::~EnginePollers() { stop(); }

Status EnginePollers::set_targets(std::vector<PollTarget> targets) {
  for (const PollTarget& target : targets) TRY(check_poll_target(target));
  {
    MutexLock lock(mu_);
    std::vector<std::shared_ptr<Instance>> next;
    for (PollTarget& target : targets) {
      const auto kept = std::ranges::find_if(
          instances_, [&](const auto& one) { return one && same(one->poller.target(), target); });
      if (kept != instances_.end()) {
        next.push_back(std::move(*kept));
      } else {
        next.push_back(std::make_shared<Instance>(std::move(target), files_, clock_, registry_));
      }
    }
    for (auto& gone : instances_) {
      if (gone) removed_.push_back(std::move(gone));
    }
    instances_ = std::move(next);
  }
  wake_.notify_all();
  return {};
}

void EnginePollers::start() {
  CHECK(!thread_.joinable());
  {
    MutexLock lock(mu_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void EnginePollers::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void EnginePollers::run() {
  pthread_setname_np(pthread_self(), "engine-polls");
  while (true) {
    append_answers();
    end_removed();
    ask_due(clock_.monotonic_ns());
    const int64_t wait_ns = next_due_ns() - clock_.monotonic_ns();
    MutexLock lock(mu_);
    if (stopping_ && open_ == 0 && answered_.empty()) return;
    const bool to_end = std::ranges::any_of(removed_, [](const auto& one) { return !one->open; });
    if (!answered_.empty() || to_end || wait_ns <= 0) continue;
    wake_.wait_for_ms(mu_, (wait_ns + kNsPerMs - 1) / kNsPerMs);
  }
}

int64_t EnginePollers::next_due_ns() {
  MutexLock lock(mu_);
  // A question's end and a new set wake the thread; without either once a minute is enough.
  int64_t next = clock_.monotonic_ns() + 60'000 * kNsPerMs;
  if (stopping_) return next;
  for (const auto& instance : instances_) {
    if (!instance->open) next = std::min(next, instance->due_ns);
  }
  return next;
}

void EnginePollers::ask_due(int64_t now_ns) {
  std::vector<std::shared_ptr<Instance>> due;
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    for (const auto& instance : instances_) {
      if (instance->open || instance->due_ns > now_ns) continue;
      instance->open = true;
      instance->due_ns = now_ns + instance->poller.target().interval_ms * kNsPerMs;
      ++open_;
      due.push_back(instance);
    }
  }
  for (const auto& instance : due) ask(instance);
}

void EnginePollers::ask(const std::shared_ptr<Instance>& instance) {
  boost::asio::co_spawn(io_.next(), instance->poller.ask(),
                        [this, instance](const std::exception_ptr& thrown, PollResult result) {
                          CHECK(thrown == nullptr);
                          // Under the lock to its end: with `open_` at zero this object may go.
                          MutexLock lock(mu_);
                          instance->open = false;
                          --open_;
                          answered_.push_back({instance, std::move(result)});
                          wake_.notify_all();
                        });
}

void EnginePollers::append_answers() {
  std::deque<Answered> answered;
  {
    MutexLock lock(mu_);
    answered.swap(answered_);
  }
  for (const Answered& one : answered) append(*one.instance, one.result);
}

void EnginePollers::end_removed() {
  std::vector<std::shared_ptr<Instance>> ended;
  {
    MutexLock lock(mu_);
    // What is still asked brings its last answer first.
    const auto open = std::ranges::partition(removed_, [](const auto& one) { return one->open; });
    ended.assign(open.begin(), open.end());
    removed_.erase(open.begin(), open.end());
  }
  append_answers();
  for (const auto& instance : ended) append(*instance, {});
}

void EnginePollers::append(Instance& instance, const PollResult& result) {
  const auto refused = instance.poller.append(result, store_, clock_.wall_ms());
  if (refused) {
    refused_.add(static_cast<double>(*refused));
  } else {
    failed_.add();
  }
}

}  // namespace binnacle::collect::engines
