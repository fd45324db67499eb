#include "engine/pipeline/orchestrator.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "base/mutex.h"
#include "engine/pipeline/orchestrator_core.h"

namespace binnacle::engine {
namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::milliseconds kStopLimit{5'000};

// A thread's wait for an answer of the I/O thread, which may come when nobody waits any more.
template <typename T>
class Answer {
 public:
  void give(T value) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    value_ = std::move(value);
    given_.notify_all();
  }
  std::optional<T> wait(std::chrono::milliseconds timeout) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    while (!value_) {
      if (!given_.wait_for_ms(mu_, timeout.count())) break;
    }
    return std::move(value_);
  }

 private:
  Mutex mu_;
  CondVar given_;
  std::optional<T> value_ GUARDED_BY(mu_);
};

}  // namespace

Orchestrator::Core::Core(OrchestratorOptions options, ModelSource model, OrchestratorHooks hooks,
                         const Clock& clock, Registry& registry)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      clock_(clock),
      registry_(registry),
      meters_(std::make_unique<Meters>(registry, model.config.name)),
      model_(std::move(model)),
      // Higher than any of an orchestrator before this one, whose steps the workers then refuse.
      epoch_(static_cast<uint64_t>(clock.wall_ms()) << 8U),
      timer_(io_.context(0)) {
  for (int32_t i = 0; i < std::max(options_.replicas, 1); ++i) {
    const auto index = static_cast<size_t>(i);
    auto slot = std::make_unique<Slot>();
    PipelineHooks pipeline;
    pipeline.give = [this](const scheduler_action::Give& give) { given(give); };
    pipeline.end = [this](const scheduler_action::End& end) { ended(end); };
    pipeline.broken = [this, index](size_t stage, const Error& error) {
      broken(index, stage, error);
    };
    slot->pipeline =
        std::make_unique<Pipeline>(i, options_.scheduler, options_.hop, std::move(pipeline),
                                   io_.context(0), clock_, registry_);
    slot->model = model_;
    slot->reason = "no worker has been found yet";
    slots_.push_back(std::move(slot));
  }
}

Orchestrator::Core::~Core() = default;

void Orchestrator::Core::start() {
  started_ns_ = now();
  for (auto& slot : slots_) slot->down_since_ns = started_ns_;
  io_.start();
  post([this] { tick(); });
}

void Orchestrator::Core::stop() {
  if (stopping_ || started_ns_ == 0) return;
  const auto done = std::make_shared<Answer<bool>>();
  post([this, done] {
    for (auto& slot : slots_) {
      slot->pipeline->tell(scheduler_event::Abandon{
          Error{Code::kUnavailable, "the engine is being stopped: try another one"}});
      slot->pipeline->close();
    }
    for (auto& [address, member] : members_) {
      if (member.worker) member.worker->close();
    }
    timer_.cancel();
    done->give(true);
  });
  done->wait(kStopLimit);
  io_.stop();
  stopping_ = true;
}

void Orchestrator::Core::post(std::function<void()> work) {
  boost::asio::post(io_.context(0), std::move(work));
}

void Orchestrator::Core::tick() {
  retry_members();
  const int64_t at = now();
  for (auto& slot : slots_) {
    if (slot->pipeline->scheduler().next_deadline_ns() <= at)
      slot->pipeline->tell(scheduler_event::Tick{});
  }
  place();
  rebalance();
  go_on_with_reload();
  refresh_gauges();
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

size_t Orchestrator::Core::index_of(const Slot& slot) const {
  const auto found = std::ranges::find_if(
      slots_, [&](const std::unique_ptr<Slot>& other) { return other.get() == &slot; });
  return static_cast<size_t>(found - slots_.begin());
}

OrchestratorStatus Orchestrator::Core::status() const {
  OrchestratorStatus status;
  status.model = model_.config;
  const int64_t at = now();
  for (const auto& slot : slots_) {
    PipelineStatus p;
    p.replica = static_cast<int32_t>(status.pipelines.size());
    p.state = slot->pipeline->is_open()
                  ? (slot->draining ? "draining for a new checkpoint" : "open")
              : slot->loading ? "loading"
                              : "waiting for workers";
    if (!slot->pipeline->is_open()) p.reason = slot->reason;
    p.epoch = slot->pipeline->epoch();
    p.counts = slot->pipeline->scheduler().counts();
    p.model_folder = slot->model.folder;
    const auto [stage, since] = slot->pipeline->oldest_hop();
    p.oldest_hop_stage = stage;
    if (stage >= 0) p.oldest_hop_seconds = static_cast<double>(at - since) / 1e9;
    for (const PlanStage& planned : slot->plan.stages) {
      if (!slot->pipeline->is_open()) break;
      StageStatus s;
      s.worker = planned.address;
      s.layers = planned.layers;
      if (const auto found = members_.find(planned.address); found != members_.end()) {
        s.hop_p50_seconds = found->second.times->quantile(0.5);
        s.hop_p99_seconds = found->second.times->quantile(0.99);
        s.hops = found->second.times->count();
      }
      p.stages.push_back(std::move(s));
    }
    status.pipelines.push_back(std::move(p));
  }
  for (const auto& [address, member] : members_) {
    status.workers.push_back({address, member.facts.name, state_of(member), member.reason,
                              static_cast<double>(at - member.since_ns) / 1e9,
                              member.failed_stage});
  }
  status.events.assign(events_.begin(), events_.end());
  return status;
}

bool OrchestratorStatus::can_serve() const {
  return std::ranges::any_of(pipelines, [](const PipelineStatus& p) { return !p.stages.empty(); });
}

std::string OrchestratorStatus::problem() const {
  if (can_serve()) return "";
  if (pipelines.empty()) return "there is no pipeline";
  return pipelines.front().state + ": " + pipelines.front().reason;
}

Orchestrator::Orchestrator(OrchestratorOptions options, ModelSource model, OrchestratorHooks hooks,
                           const Clock& clock, Registry& registry)
    : core_(std::make_unique<Core>(std::move(options), std::move(model), std::move(hooks), clock,
                                   registry)) {}
Orchestrator::~Orchestrator() { stop(); }

void Orchestrator::start() { core_->start(); }
void Orchestrator::stop() { core_->stop(); }

void Orchestrator::set_workers(std::vector<std::string> addresses) {
  core_->post([core = core_.get(), a = std::move(addresses)] { core->set_workers(a); });
}

void Orchestrator::submit(Generation generation, GenerationSink sink) {
  core_->post(
      [core = core_.get(), g = std::move(generation), s = std::move(sink)] { core->submit(g, s); });
}

void Orchestrator::cancel(SequenceId sequence) {
  core_->post([core = core_.get(), sequence] { core->cancel(sequence); });
}

void Orchestrator::reload(ModelSource model) {
  core_->post([core = core_.get(), m = std::move(model)] { core->reload(m); });
}

SequenceId Orchestrator::new_id() { return core_->next_id.fetch_add(1); }

Result<OrchestratorStatus> Orchestrator::status(std::chrono::milliseconds timeout) const {
  const auto answer = std::make_shared<Answer<OrchestratorStatus>>();
  core_->post([core = core_.get(), answer] { answer->give(core->status()); });
  auto status = answer->wait(timeout);
  if (!status) {
    return fail(Code::kDeadlineExceeded, "the orchestrator's thread does not answer: it is stuck");
  }
  return *std::move(status);
}

}  // namespace binnacle::engine
