#include "watch/rules/rule_service.h"

#include <algorithm>

#include "model/labels.h"

namespace binnacle::watch::rules {
namespace {

constexpr size_t kMaxQueued = 65'536;
constexpr int64_t kLongestSleepMs = 1'000;  // the wall clock may jump meanwhile
constexpr int64_t kLateMs = 1'000;
constexpr int kEvaluationsBeforeRestore = 2;  // as in Prometheus: what is scraped comes first

// The group's own time at or before `now_ms`: groups with the same interval are spread over it.
int64_t slotted_time(const GroupEvaluator& group, int64_t now_ms) {
  const model::Labels id{{"file", group.group().file}, {"name", group.group().name}};
  const int64_t interval_ms = group.interval_ms();
  const auto offset =
      static_cast<int64_t>(id.hash() % static_cast<uint64_t>(std::max<int64_t>(interval_ms, 1)));
  const int64_t shifted = now_ms - offset;
  return shifted - shifted % interval_ms + offset;
}

}  // namespace

RuleService::RuleService(RuleServiceOptions options, RuleServiceTools tools)
    : options_(options),
      tools_(std::move(tools)),
      instruments_(tools_.registry),
      state_(tools_.state),
      pool_("rules", options.threads, kMaxQueued) {}

RuleService::~RuleService() { stop(); }

GroupTools RuleService::group_tools() {
  return {.reads = tools_.reads,
          .writes = tools_.writes,
          .clock = tools_.clock,
          .instruments = instruments_,
          .limits = tools_.limits ? tools_.limits() : query::promql::QueryLimits{},
          .expand = tools_.expand,
          .notify = tools_.notify};
}

Status RuleService::restore(const std::map<Key, EvaluatorPtr>& groups) {
  TRY_ASSIGN(auto load, state_.load());
  const int64_t now_ms = tools_.clock.wall_ms();
  size_t lost = 0;
  for (RestoredAlert& stored : load.alerts) {
    const auto it = groups.find({stored.file, stored.group});
    const bool forgotten =
        it == groups.end() ||
        now_ms - load.ran_until_ms > it->second->settings().outage_tolerance_ms ||
        !it->second->restore(stored.rule, stored.alert);
    if (!forgotten) continue;
    ++lost;
    const RuleGroup group{.file = stored.file, .name = stored.group};
    TRY(state_.write(group, {{stored.rule, {stored.alert.labels.packed(), std::nullopt}}}, 0));
  }
  for (const auto& [key, evaluator] : groups) evaluator->await_restore();
  if (!load.alerts.empty())
    log_.info("alerts restored", {{"alerts", load.alerts.size() - lost}, {"forgotten", lost}});
  return {};
}

void RuleService::set_groups(std::vector<ConfiguredGroup> groups) {
  std::map<Key, EvaluatorPtr> made;
  for (ConfiguredGroup& configured : groups) {
    Key key{configured.group.file, configured.group.name};
    made.emplace(std::move(key),
                 std::make_shared<GroupEvaluator>(std::move(configured.group), configured.settings,
                                                  group_tools()));
  }
  bool first = false;
  {
    MutexLock lock(mu_);
    first = !std::exchange(restored_, true);
  }
  if (first) {
    if (const auto restored = restore(made); !restored)
      log_.error("alerts start anew", {{"error", restored.error().message}});
  }
  std::vector<Key> gone;
  {
    MutexLock lock(mu_);
    gone = apply(made, first);
  }
  for (const auto& [file, name] : gone) {
    if (const auto forgotten = state_.forget_group(file, name); !forgotten) {
      instruments_.state_failures.add();
      log_.warn("alerts of a group that is gone stay in the state file",
                {{"group", name}, {"error", forgotten.error().message}});
    }
  }
}

std::vector<RuleService::Key> RuleService::apply(std::map<Key, EvaluatorPtr>& made, bool first) {
  for (auto& [key, evaluator] : made) {
    SlotPtr& slot = slots_[key];
    if (slot == nullptr) {
      slot = std::make_shared<Slot>();
      slot->evaluator = evaluator;
      slot->restore_in = first ? kEvaluationsBeforeRestore : 0;
      if (started_) slot->last_ms = slotted_time(*evaluator, tools_.clock.wall_ms());
    } else if (const auto& now = slot->next ? slot->next : slot->evaluator;
               !now->same_as(*evaluator)) {
      slot->next = evaluator;
      if (!slot->running) take_next(*slot);
    }
  }
  std::vector<Key> gone;
  for (auto it = slots_.begin(); it != slots_.end();) {
    if (made.contains(it->first)) {
      ++it;
      continue;
    }
    gone.push_back(it->first);
    it->second->removed = true;
    if (!it->second->running) end_later(*it->second);
    it = slots_.erase(it);
  }
  wake_.notify_all();
  return gone;
}

void RuleService::take_next(Slot& slot) {
  slot.next->take_over(*slot.evaluator);
  const bool new_rhythm = slot.next->interval_ms() != slot.evaluator->interval_ms();
  slot.evaluator = std::exchange(slot.next, nullptr);
  if (new_rhythm && started_) slot.last_ms = slotted_time(*slot.evaluator, tools_.clock.wall_ms());
}

// Two intervals later, as a group of another name may write the same series by then: the marker
// stands before its samples.
void RuleService::end_later(Slot& slot) {
  const int64_t now_ms = tools_.clock.wall_ms();
  auto series = slot.evaluator->release_series();
  if (series.empty()) return;
  endings_.push_back({now_ms + 2 * slot.evaluator->interval_ms(),
                      now_ms - slot.evaluator->query_offset_ms(), std::move(series)});
}

void RuleService::start() {
  {
    MutexLock lock(mu_);
    if (started_) return;
    started_ = true;
    const int64_t now_ms = tools_.clock.wall_ms();
    for (auto& [key, slot] : slots_) slot->last_ms = slotted_time(*slot->evaluator, now_ms);
  }
  thread_ = std::thread([this] { run(); });
}

void RuleService::run() {
  for (;;) {
    const int64_t next_ms = run_due();
    MutexLock lock(mu_);
    if (stopping_) return;
    const int64_t wait_ms =
        std::clamp<int64_t>(next_ms - tools_.clock.wall_ms(), 0, kLongestSleepMs);
    if (wait_ms > 0) wake_.wait_for_ms(mu_, wait_ms);
    if (stopping_) return;
  }
}

void RuleService::stop() {
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    stopping_ = true;
  }
  cancelled_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  pool_.stop();
}

int64_t RuleService::run_due() {
  const int64_t now_ms = tools_.clock.wall_ms();
  int64_t next_ms = now_ms + kLongestSleepMs;
  std::vector<Ending> endings;
  {
    MutexLock lock(mu_);
    if (stopping_) return next_ms;
    for (auto& [key, slot] : slots_) {
      if (slot->running) continue;
      if (const int64_t due_ms = start_if_due(slot, now_ms)) next_ms = std::min(next_ms, due_ms);
    }
    std::erase_if(endings_, [&](Ending& ending) {
      if (ending.due_ms > now_ms) return false;
      endings.push_back(std::move(ending));
      return true;
    });
  }
  for (const Ending& ending : endings) {
    if (const auto ended = end_series(tools_.writes, ending.at_ms, ending.series); !ended)
      log_.warn("series of a group that is gone have no end", {{"error", ended.error().message}});
  }
  return next_ms;
}

int64_t RuleService::start_if_due(const SlotPtr& slot, int64_t now_ms) {
  const GroupEvaluator& group = *slot->evaluator;
  const int64_t interval_ms = group.interval_ms();
  // The clock went back.
  if (now_ms < slot->last_ms) slot->last_ms = slotted_time(group, now_ms);
  if (now_ms < slot->last_ms + interval_ms) return slot->last_ms + interval_ms;
  const int64_t missed = (now_ms - slot->last_ms) / interval_ms - 1;
  const int64_t at_ms = slot->last_ms + (missed + 1) * interval_ms;
  const auto posted = pool_.post(
      [this, slot, evaluator = slot->evaluator, at_ms] { evaluate(slot, *evaluator, at_ms); });
  if (!posted) return now_ms + kLateMs;
  GroupInstruments& counts = instruments_.group(group.group().file, group.group().name);
  counts.missed.add(static_cast<double>(missed));
  counts.iterations.add(static_cast<double>(missed));
  slot->last_ms = at_ms;
  slot->running = true;
  ++running_;
  return at_ms + interval_ms;
}

void RuleService::evaluate(const SlotPtr& slot, GroupEvaluator& evaluator, int64_t at_ms) {
  if (tools_.clock.wall_ms() - at_ms > kLateMs)
    instruments_.group(evaluator.group().file, evaluator.group().name).late.add();
  evaluator.evaluate(at_ms, &cancelled_);
  bool restore = false;
  {
    MutexLock lock(mu_);
    restore = slot->restore_in > 0 && --slot->restore_in == 0;
  }
  if (restore) evaluator.restore_from_series(tools_.clock.wall_ms());
  store(evaluator);
  bool removed = false;
  {
    MutexLock lock(mu_);
    slot->running = false;
    removed = slot->removed;
    if (removed) {
      end_later(*slot);
    } else if (slot->next != nullptr) {
      take_next(*slot);
    }
    --running_;
  }
  wake_.notify_all();
  if (removed) (void)state_.forget_group(evaluator.group().file, evaluator.group().name);
}

void RuleService::store(GroupEvaluator& evaluator) {
  const int64_t now_ms = tools_.clock.wall_ms();
  int64_t written_ms = clock_written_ms_;
  const bool tell_clock = std::abs(now_ms - written_ms) >= options_.clock_interval_ms &&
                          clock_written_ms_.compare_exchange_strong(written_ms, now_ms);
  const auto stored = state_.write(evaluator.group(), evaluator.changes(), tell_clock ? now_ms : 0);
  if (stored) return evaluator.stored();
  instruments_.state_failures.add();
  if (tell_clock) clock_written_ms_ = 0;
  log_.error("alerts of a group are not stored; the next evaluation tries again",
             {{"group", evaluator.group().name}, {"error", stored.error().message}});
}

std::vector<GroupStatus> RuleService::groups() const {
  std::vector<EvaluatorPtr> evaluators;
  {
    MutexLock lock(mu_);
    for (const auto& [key, slot] : slots_) evaluators.push_back(slot->evaluator);
  }
  std::vector<GroupStatus> out;
  out.reserve(evaluators.size());
  for (const auto& evaluator : evaluators) out.push_back(evaluator->status());
  return out;
}

void RuleService::wait_idle() {
  MutexLock lock(mu_);
  while (running_ > 0) wake_.wait(mu_);
}

}  // namespace binnacle::watch::rules
