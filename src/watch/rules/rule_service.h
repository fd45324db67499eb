// Evaluates groups of rules on time: each on its interval at an offset of its own, on a pool, so
// that a slow group delays no other; of one group no two evaluations overlap. Keeps what alerts
// have come to in the state file. Any thread; start() and stop() by the owner's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "watch/rules/group_evaluator.h"
#include "watch/rules/rule_state.h"
#include "watch/rules/rules_view.h"

namespace binnacle::watch::rules {

// A group with the settings of where it was configured.
struct ConfiguredGroup {
  RuleGroup group;
  GroupSettings settings;
};

struct RuleServiceOptions {
  size_t threads = 4;                  // groups that are evaluated at a time
  int64_t clock_interval_ms = 15'000;  // how often is written until when rules have run
};

// All outlive the service.
struct RuleServiceTools {
  model::Queryable& reads;
  model::Appendable& writes;
  const Clock& clock;
  Registry& registry;
  store::state::StateStore& state;
  std::function<query::promql::QueryLimits()> limits;
  ExpandTemplate expand;
  std::function<Status(std::vector<model::Alert>)> notify;
};

class RuleService final : public RulesView {
 public:
  RuleService(RuleServiceOptions options, RuleServiceTools tools);
  ~RuleService() override;  // stop()

  // The groups there are from now on. Before start() alerts of the state file come back; later, a
  // group that changed takes over what its predecessor of the same file and name has, once that has
  // ended its evaluation. Groups that are gone end their series.
  void set_groups(std::vector<ConfiguredGroup> groups) EXCLUDES(mu_);

  void start() EXCLUDES(mu_);
  // Waits for the rules that are being evaluated.
  void stop() EXCLUDES(mu_);

  std::vector<GroupStatus> groups() const override EXCLUDES(mu_);

  // Hands what is due to the pool; when something else is, on the wall clock. The service's thread
  // does it, and tests, which own the time.
  int64_t run_due() EXCLUDES(mu_);
  // Until no evaluation runs.
  void wait_idle() EXCLUDES(mu_);

 private:
  using Key = std::pair<std::string, std::string>;       // file, name
  using EvaluatorPtr = std::shared_ptr<GroupEvaluator>;  // with the API's look at it
  struct Slot {
    EvaluatorPtr evaluator;
    EvaluatorPtr next;    // takes over when the evaluation is over
    int64_t last_ms = 0;  // the time that was evaluated last
    int restore_in = 0;   // evaluations until ALERTS_FOR_STATE is read
    bool running = false;
    bool removed = false;
  };
  using SlotPtr = std::shared_ptr<Slot>;  // with the evaluation under way
  struct Ending {
    int64_t due_ms = 0;
    int64_t at_ms = 0;  // of the markers
    std::vector<model::Labels> series;
  };

  GroupTools group_tools();
  Status restore(const std::map<Key, EvaluatorPtr>& groups);
  // The groups that are gone.
  std::vector<Key> apply(std::map<Key, EvaluatorPtr>& made, bool first) REQUIRES(mu_);
  void take_next(Slot& slot) REQUIRES(mu_);
  void end_later(Slot& slot) REQUIRES(mu_);
  // When the group is due next.
  int64_t start_if_due(const SlotPtr& slot, int64_t now_ms) REQUIRES(mu_);
  void evaluate(const SlotPtr& slot, GroupEvaluator& evaluator, int64_t at_ms) EXCLUDES(mu_);
  void store(GroupEvaluator& evaluator);
  void run() EXCLUDES(mu_);

  // Fixed after construction.
  const RuleServiceOptions options_;
  const RuleServiceTools tools_;
  RuleInstruments instruments_;
  RuleState state_;
  const Log log_{"rules"};

  std::atomic<bool> cancelled_ = false;
  std::atomic<int64_t> clock_written_ms_ = 0;  // wall
  std::thread thread_;                         // of the owner's thread

  mutable Mutex mu_;
  CondVar wake_;
  std::map<Key, SlotPtr> slots_ GUARDED_BY(mu_);
  std::vector<Ending> endings_ GUARDED_BY(mu_);
  size_t running_ GUARDED_BY(mu_) = 0;
  bool started_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  bool restored_ GUARDED_BY(mu_) = false;

  ThreadPool pool_;  // last: its work uses all of the above
};

}  // namespace binnacle::watch::rules
