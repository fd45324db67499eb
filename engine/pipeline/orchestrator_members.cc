#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/pipeline/orchestrator_core.h"

namespace binnacle::engine {
namespace {

// A worker that loads says nothing for as long as that takes; whether it still lives is asked so
// often.
constexpr int64_t kLookWhileLoadingNs = 1'000'000'000;

}  // namespace

void Orchestrator::Core::set_workers(std::vector<std::string> addresses) {
  const std::set<std::string> wanted(addresses.begin(), addresses.end());
  for (const std::string& address : wanted) {
    Member* known = member(address);
    if (known == nullptr) {
      add_member(address, true);
    } else {
      known->asked = true;
    }
  }
  for (auto it = members_.begin(); it != members_.end();) {
    Member& known = it->second;
    // One that serves stays until it fails or leaves: who lists workers may be wrong for a while.
    const bool gone = known.asked && !wanted.contains(it->first) && !serves(it->first);
    if (gone && known.worker) known.worker->close();
    it = gone ? members_.erase(it) : std::next(it);
  }
}

void Orchestrator::Core::add_member(const std::string& address, bool asked) {
  Member& added = members_[address];
  added.address = address;
  added.asked = asked;
  added.since_ns = now();
  connect(added);
}

void Orchestrator::Core::connect(Member& member) {
  if (member.worker) member.worker->close();
  member.worker.reset();
  member.life = next_life_++;
  member.is_measured = false;
  auto worker = member.address == kLocalAddress && hooks_.local ? hooks_.local()
                                                                : hooks_.connect(member.address);
  if (!worker) return suspect(member, -1, worker.error().message);
  member.worker = *std::move(worker);
  member.worker->on_lost([this, address = member.address, life = member.life](Error error) {
    post([this, address, life, e = std::move(error)] { lost(address, life, e); });
  });
  describe(member);
}

void Orchestrator::Core::describe(Member& member) {
  const int64_t asked_ns = now();
  member.retry_ns = INT64_MAX;
  member.worker->describe(
      options_.describe_timeout,
      [this, address = member.address, life = member.life, asked_ns](Result<WorkerFacts> facts) {
        post([this, address, life, asked_ns, f = std::move(facts)] {
          described(address, life, asked_ns, f);
        });
      });
}

void Orchestrator::Core::described(const std::string& address, uint64_t life, int64_t asked_ns,
                                   Result<WorkerFacts> facts) {
  Member* known = member(address);
  if (known == nullptr || known->life != life) return;
  if (!facts) {
    if (known->state == MemberState::kBusy) return lost(address, life, facts.error());
    return suspect(*known, -1, facts.error().message);
  }
  known->retry_ns = now() + kLookWhileLoadingNs;
  if (!std::exchange(known->is_measured, true)) return describe(*known);
  known->facts = *std::move(facts);
  known->way_seconds = static_cast<double>(now() - asked_ns) / 1e9;
  const bool returns = known->state == MemberState::kSuspect;
  if (known->state != MemberState::kBusy) {
    known->state = MemberState::kIdle;
    known->since_ns = now();
  }
  known->reason.clear();
  known->failed_stage = -1;
  if (returns) tell("worker.returned", address, "answers again", false);
  place();
}

void Orchestrator::Core::lost(const std::string& address, uint64_t life, const Error& error) {
  Member* known = member(address);
  if (known == nullptr || known->life != life || known->state == MemberState::kSuspect) return;
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = *slots_[i];
    if (!slot.pipeline->is_open()) continue;
    for (size_t stage = 0; stage < slot.plan.stages.size(); ++stage) {
      if (slot.plan.stages[stage].address == address) return broken(i, stage, error);
    }
  }
  suspect(*known, -1, error.message);
  for (auto& slot : slots_) {
    if (!slot->loading) continue;
    const bool concerns = std::ranges::any_of(
        slot->loading->plan.stages, [&](const PlanStage& s) { return s.address == address; });
    if (concerns) abort_loading(*slot, fmt::format("{}: {}", address, error.message));
  }
}

void Orchestrator::Core::suspect(Member& member, int32_t stage, const std::string& reason) {
  if (member.state != MemberState::kSuspect) {
    member.since_ns = now();
    tell("worker.suspect", member.address,
         stage >= 0 ? fmt::format("stage {}: {}", stage, reason) : reason, true);
  }
  member.state = MemberState::kSuspect;
  member.reason = reason;
  if (stage >= 0) member.failed_stage = stage;
  member.retry_wait_ns =
      member.retry_wait_ns == 0
          ? std::chrono::nanoseconds(options_.first_retry).count()
          : std::min<int64_t>(member.retry_wait_ns * 2,
                              std::chrono::nanoseconds(options_.longest_retry).count());
  member.retry_ns = now() + member.retry_wait_ns;
}

void Orchestrator::Core::retry_members() {
  constexpr int64_t kForgottenAfterNs = 60'000'000'000;  // of good service
  for (auto& [address, known] : members_) {
    if (known.state == MemberState::kSuspect && known.retry_ns <= now()) connect(known);
    const bool loads = std::ranges::any_of(slots_, [&](const std::unique_ptr<Slot>& slot) {
      return slot->loading &&
             std::ranges::any_of(slot->loading->plan.stages, [&](const PlanStage& stage) {
               return stage.address == known.address;
             });
    });
    if (loads && known.state == MemberState::kBusy && known.retry_ns <= now()) describe(known);
    if (known.state == MemberState::kBusy && known.retry_wait_ns != 0 &&
        now() - known.since_ns > kForgottenAfterNs) {
      known.retry_wait_ns = 0;
    }
  }
}

Orchestrator::Core::Member* Orchestrator::Core::member(const std::string& address) {
  const auto found = members_.find(address);
  return found == members_.end() ? nullptr : &found->second;
}

// Idle workers, and with `with_own` those that the slot runs on now.
std::vector<PlanWorker> Orchestrator::Core::candidates(const Slot* with_own) const {
  std::vector<PlanWorker> workers;
  for (const auto& [address, known] : members_) {
    bool usable = known.state == MemberState::kIdle && known.asked;
    if (with_own != nullptr && known.state == MemberState::kBusy && known.asked) {
      usable = std::ranges::any_of(with_own->plan.stages,
                                   [&](const PlanStage& s) { return s.address == address; });
    }
    if (!usable) continue;
    PlanWorker worker;
    worker.address = address;
    if (!options_.emulated) {
      worker.bytes_per_second = known.facts.weight_bytes_per_second;
      worker.memory_bytes = known.facts.memory_bytes;
      worker.hop_seconds = known.way_seconds;
    }
    worker.kernel = known.facts.kernel;
    workers.push_back(std::move(worker));
  }
  return workers;
}

std::string Orchestrator::Core::state_of(const Member& member) const {
  switch (member.state) {
    case MemberState::kNew:
      return "new";
    case MemberState::kIdle:
      return "idle";
    case MemberState::kBusy:
      return "serving";
    case MemberState::kSuspect:
      break;
  }
  return "suspect";
}

}  // namespace binnacle::engine
