#include <algorithm>

#include <fmt/format.h>

#include "engine/pipeline/orchestrator_core.h"

namespace binnacle::engine {
namespace {

// A placement is moved for no less than this.
constexpr double kWorthMoving = 1.2;
constexpr int64_t kFirstLookNs = 1'000'000'000;  // at a worker that loads

std::string_view why(Code code) {
  switch (code) {
    case Code::kUnavailable:
      return "connection_lost";
    case Code::kDeadlineExceeded:
      return "hop_deadline";
    case Code::kDataLoss:
      return "bad_answer";
    default:
      return "refused_step";
  }
}

}  // namespace

PlanRequest Orchestrator::Core::plan_request(const Slot& slot,
                                             std::vector<PlanWorker> workers) const {
  PlanRequest request;
  request.model = slot.model.config;
  request.weights = slot.model.number_type;
  request.kv_positions = options_.kv_positions;
  request.min_stages = options_.min_stages;
  request.workers = std::move(workers);
  return request;
}

// Gives every replica that stands nowhere the idle workers, if they can hold it.
void Orchestrator::Core::place() {
  const auto settle_ns = std::chrono::nanoseconds(options_.settle).count();
  const bool unknown = std::ranges::any_of(
      members_, [](const auto& entry) { return entry.second.state == MemberState::kNew; });
  if ((unknown || members_.empty()) && now() - started_ns_ < settle_ns) return;
  std::vector<Slot*> needy;
  for (auto& slot : slots_) {
    if (!slot->pipeline->is_open() && !slot->loading) needy.push_back(slot.get());
  }
  if (needy.empty()) return;
  PlanRequest request = plan_request(*needy.front(), candidates(nullptr));
  request.replicas = static_cast<int32_t>(needy.size());
  auto plan = make_plan(request);
  for (size_t i = 0; i < needy.size(); ++i) {
    Slot& slot = *needy[i];
    if (plan && i < plan->replicas.size()) {
      load(slot, plan->replicas[i], false);
      continue;
    }
    if (!plan) slot.reason = plan.error().message;
    move_sequences(slot);
    const bool none_stands = std::ranges::none_of(slots_, [](const std::unique_ptr<Slot>& other) {
      return other->pipeline->is_open() || other->loading;
    });
    if (none_stands) place_locally(slot);
  }
}

void Orchestrator::Core::place_locally(Slot& slot) {
  if (!hooks_.local) return;
  const std::string address(kLocalAddress);
  Member* local = member(address);
  if (local == nullptr) return add_member(address, false);
  if (local->asked || local->state != MemberState::kIdle) return;
  PlanWorker worker;
  worker.address = address;
  worker.bytes_per_second = local->facts.weight_bytes_per_second;
  worker.memory_bytes = options_.emulated ? 0 : local->facts.memory_bytes;
  const auto plan = make_plan(plan_request(slot, {worker}));
  if (!plan) {
    slot.reason = fmt::format("no worker is left, and in this process {}", plan.error().message);
    return;
  }
  load(slot, plan->replicas.front(), false);
}

void Orchestrator::Core::load(Slot& slot, PlanReplica plan, bool beside) {
  slot.loading = Slot::Loading{++epoch_, std::move(plan), 0, beside, now()};
  slot.loading->missing = slot.loading->plan.stages.size();
  std::vector<std::string> peers;
  for (const auto& [address, known] : members_) {
    if (address != kLocalAddress && known.state != MemberState::kSuspect) peers.push_back(address);
  }
  const size_t index = index_of(slot);
  const Slot::Loading loading = *slot.loading;  // a worker that refuses at once ends it
  for (const PlanStage& stage : loading.plan.stages) {
    Member& on = members_.at(stage.address);
    on.state = MemberState::kBusy;
    on.since_ns = now();
    on.retry_ns = on.since_ns + kFirstLookNs;
    LoadOrder order;
    const bool has_it =
        std::ranges::find(on.facts.models, slot.model.name) != on.facts.models.end();
    order.model = has_it || slot.model.folder.empty() ? slot.model.name : slot.model.folder;
    order.layers = stage.layers;
    if (slot.model.hash) order.weights_hash = slot.model.hash(stage.layers);
    order.kernel = on.facts.kernel;
    order.kv_positions = options_.kv_positions;
    order.hop_type = options_.hop_type;
    order.epoch = loading.epoch;
    order.peers = peers;
    on.worker->load(order, options_.load_timeout,
                    [this, index, epoch = loading.epoch, address = stage.address,
                     life = on.life](Result<void> result) {
                      post([this, index, epoch, address, life, r = std::move(result)] {
                        loaded(index, epoch, address, life, r);
                      });
                    });
  }
}

void Orchestrator::Core::loaded(size_t index, uint64_t epoch, const std::string& address,
                                uint64_t life, const Result<void>& result) {
  Slot& slot = *slots_[index];
  if (!slot.loading || slot.loading->epoch != epoch) return;
  if (!result) {
    Member* at = member(address);
    if (at != nullptr && at->life == life) suspect(*at, -1, result.error().message);
    return abort_loading(slot, fmt::format("{}: {}", address, result.error().message));
  }
  if (--slot.loading->missing == 0) open(slot);
}

void Orchestrator::Core::open(Slot& slot) {
  const Slot::Loading loading = *std::exchange(slot.loading, std::nullopt);
  slot.load_ns = now() - loading.since_ns;
  if (slot.pipeline->is_open()) {  // the new one was loaded beside
    slot.down_since_ns = now();
    close(slot, "a better placement");
  }
  slot.plan = loading.plan;
  slot.better_since_ns = 0;
  slot.reason.clear();
  std::vector<PipelineStage> stages;
  std::string where;
  for (const PlanStage& planned : slot.plan.stages) {
    const Member& on = members_.at(planned.address);
    stages.push_back({on.worker, on.times, planned.layers});
    where += fmt::format("{}{} has {}-{}", where.empty() ? "" : ", ", planned.address,
                         planned.layers.begin, planned.layers.end - 1);
  }
  slot.pipeline->open(loading.epoch, std::move(stages), options_.kv_positions,
                      slot.model.config.hidden, slot.model.config.vocabulary);
  if (slot.draining) {
    slot.draining = false;
    slot.pipeline->tell(scheduler_event::Hold{false});
  }
  meters_->recovery.observe(static_cast<double>(now() - slot.down_since_ns) / 1e9);
  tell("pipeline.open", fmt::format("replica {}", index_of(slot)), where, false);
}

void Orchestrator::Core::close(Slot& slot, const std::string& reason) {
  slot.pipeline->close();
  slot.reason = reason;
  const PlanReplica left = std::exchange(slot.plan, {});
  set_idle(left);
}

void Orchestrator::Core::set_idle(const PlanReplica& plan) {
  for (const PlanStage& stage : plan.stages) {
    Member* known = member(stage.address);
    if (known == nullptr || known->state != MemberState::kBusy || serves(stage.address)) continue;
    known->state = MemberState::kIdle;
    known->since_ns = now();
    if (!known->asked) known->worker->unload(options_.load_timeout, [](Result<void>) {});
  }
}

bool Orchestrator::Core::serves(const std::string& address) const {
  const auto has = [&](const PlanReplica& plan) {
    return std::ranges::any_of(plan.stages,
                               [&](const PlanStage& s) { return s.address == address; });
  };
  return std::ranges::any_of(slots_, [&](const std::unique_ptr<Slot>& slot) {
    return (slot->pipeline->is_open() && has(slot->plan)) ||
           (slot->loading && has(slot->loading->plan));
  });
}

void Orchestrator::Core::broken(size_t index, size_t stage, const Error& error) {
  Slot& slot = *slots_[index];
  const std::string address = slot.plan.stages[stage].address;
  slot.down_since_ns = now();
  registry_
      .counter("binnacle_pipeline_replans_total", "Placements that were given up, by reason.",
               {{"reason", std::string(why(error.code))}})
      .add();
  suspect(members_.at(address), static_cast<int32_t>(stage), error.message);
  const LayerRange layers = slot.plan.stages[stage].layers;
  tell("pipeline.broken", fmt::format("replica {}", index),
       fmt::format("stage {} (layers {}-{} at {}): {}", stage, layers.begin, layers.end - 1,
                   address, error.message),
       true);
  close(slot, fmt::format("stage {} at {} failed: {}", stage, address, error.message));
  place();
}

void Orchestrator::Core::abort_loading(Slot& slot, const std::string& reason) {
  const PlanReplica left = std::exchange(slot.loading, std::nullopt)->plan;
  set_idle(left);
  slot.reason = reason;
  tell("pipeline.load_failed", fmt::format("replica {}", index_of(slot)), reason, true);
  // The old checkpoint may be gone from the disk by now.
  if (next_model_ && !slot.pipeline->is_open()) {
    slot.model = *next_model_;
    slot.checkpoint = checkpoint_;
  }
  place();
}

// A replica that has no workers hands its sequences to one that has.
void Orchestrator::Core::move_sequences(Slot& from) {
  Slot* to = nullptr;
  for (auto& slot : slots_) {
    if (!slot->pipeline->is_open() || slot->draining) continue;
    if (to == nullptr || slot->pipeline->scheduler().counts().outstanding <
                             to->pipeline->scheduler().counts().outstanding)
      to = slot.get();
  }
  if (to == nullptr) return;
  for (Generation& generation : from.pipeline->take_all()) {
    tracks_.at(generation.id).slot = index_of(*to);
    to->pipeline->tell(scheduler_event::Submit{std::move(generation)});
  }
}

void Orchestrator::Core::rebalance() {
  const bool all_stand = std::ranges::all_of(slots_, [](const std::unique_ptr<Slot>& slot) {
    return slot->pipeline->is_open() && !slot->loading;
  });
  if (!all_stand || next_model_) return;
  for (auto& slot : slots_) {
    if (!slot->loading) rebalance(*slot);
  }
}

bool Orchestrator::Core::better(const Slot& slot, const PlanReplica& plan) const {
  const auto stands_in = [&](const PlanStage& stage) {
    const auto found = members_.find(stage.address);
    return found != members_.end() && !found->second.asked;
  };
  const auto wanted = static_cast<size_t>(options_.min_stages);
  const size_t stages = std::min(plan.stages.size(), wanted);
  const size_t stages_now = std::min(slot.plan.stages.size(), wanted);
  if (stages != stages_now) return stages > stages_now;
  return std::ranges::any_of(slot.plan.stages, stands_in) ||
         plan.slowest_seconds * kWorthMoving < slot.plan.slowest_seconds;
}

// A worker holds one range of layers, so that only idle workers can be loaded while the pipeline
// goes on. Where they can hold the whole model, nothing pauses but for the replay. Else the workers
// in service have to be loaded anew: done when nothing is asked of them, or, where the pause would
// be short, after a while.
void Orchestrator::Core::rebalance(Slot& slot) {
  auto idle = candidates(nullptr);
  if (idle.empty()) {
    slot.better_since_ns = 0;
    return;
  }
  const auto beside = make_plan(plan_request(slot, std::move(idle)));
  if (beside && better(slot, beside->replicas.front())) {
    return load(slot, beside->replicas.front(), true);
  }
  const auto whole = make_plan(plan_request(slot, candidates(&slot)));
  if (!whole || !better(slot, whole->replicas.front())) {
    slot.better_since_ns = 0;
    return;
  }
  if (slot.better_since_ns == 0) slot.better_since_ns = now();
  const SchedulerCounts counts = slot.pipeline->scheduler().counts();
  const auto replay_ns = static_cast<int64_t>(static_cast<double>(counts.kv_positions) *
                                              slot.plan.slowest_seconds * 1e9);
  const bool is_short =
      slot.load_ns + replay_ns <= std::chrono::nanoseconds(options_.rebalance_pause_limit).count();
  const bool waited =
      now() - slot.better_since_ns >= std::chrono::nanoseconds(options_.rebalance_after).count();
  if (counts.running + counts.waiting > 0 && !(is_short && waited)) return;
  registry_
      .counter("binnacle_pipeline_replans_total", "Placements that were given up, by reason.",
               {{"reason", "rebalance"}})
      .add();
  slot.down_since_ns = now();
  close(slot, "a better placement");
  load(slot, whole->replicas.front(), false);
}

void Orchestrator::Core::reload(ModelSource model) {
  next_model_ = std::move(model);
  ++checkpoint_;
  tell("model.reload", next_model_->folder, "a new checkpoint", false);
  go_on_with_reload();
}

// One replica after another, so that the others serve meanwhile.
void Orchestrator::Core::go_on_with_reload() {
  if (!next_model_) return;
  for (auto& slot : slots_) {
    if (slot->checkpoint == checkpoint_) {
      if (!slot->pipeline->is_open()) return;
      continue;
    }
    if (slot->loading) return;
    if (slot->pipeline->is_open()) {
      if (!slot->draining) {
        slot->draining = true;
        slot->pipeline->tell(scheduler_event::Hold{true});
      }
      if (slot->pipeline->scheduler().counts().begun > 0) return;
      slot->down_since_ns = now();
      close(*slot, "a new checkpoint is being loaded");
    } else if (slot->pipeline->scheduler().counts().begun > 0) {
      return;  // it stands nowhere now and ends what it has begun first
    }
    slot->model = *next_model_;
    slot->checkpoint = checkpoint_;
    return place();
  }
  model_ = *std::exchange(next_model_, std::nullopt);
  tell("model.reloaded", model_.folder, "the new checkpoint is served", false);
}

}  // namespace binnacle::engine
