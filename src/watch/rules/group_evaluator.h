// One group of rules and all that it remembers: evaluates the rules in order at a given time,
// writes what they give, and says which alerts are to be told. As Prometheus' rules/group.go does;
// it owns no thread and no clock of its own. evaluate() and what changes the group are called by
// one thread at a time, status() by any. docs/rules.md is for operators.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "model/alert.h"
#include "model/appender.h"
#include "model/querier.h"
#include "query/promql/query_meter.h"
#include "watch/rules/alert_states.h"
#include "watch/rules/rule_file.h"
#include "watch/rules/rule_instruments.h"
#include "watch/rules/rule_series.h"

namespace binnacle::watch::rules {

// PromQL within a template: the elements of an instant vector.
using TemplateQuery = std::function<Result<std::vector<RuleSample>>(std::string_view expr)>;

// What the template of a label or an annotation is run on.
struct TemplateRun {
  std::string_view rule;
  std::string_view text;
  model::LabelsView labels;  // of the element, its metric name among them
  double value = 0;
  int64_t at_ms = 0;
  model::LabelsView external_labels;
  std::string_view external_url;
  const TemplateQuery& query;
};
using ExpandTemplate = std::function<Result<std::string>(const TemplateRun&)>;

// What a reload may change, for all groups.
struct GroupSettings {
  int64_t evaluation_interval_ms = 60'000;  // of groups that name none
  int64_t query_offset_ms = 0;              // of groups that name none
  int64_t resend_delay_ms = 60'000;
  int64_t outage_tolerance_ms = 3'600'000;  // ALERTS_FOR_STATE that is older is not restored
  int64_t for_grace_period_ms = 600'000;    // from restoring to firing at the earliest
  model::Labels external_labels;
  std::string external_url;  // without a slash at its end
  friend bool operator==(const GroupSettings&, const GroupSettings&) = default;
};

// All outlive the group.
struct GroupTools {
  model::Queryable& reads;
  model::Appendable& writes;
  const Clock& clock;  // measures, and bounds queries
  RuleInstruments& instruments;
  query::promql::QueryLimits limits;
  ExpandTemplate expand;
  // Takes what is to be told, without external labels; an error: it is told again at the next
  // evaluation. Null: nobody is told.
  std::function<Status(std::vector<model::Alert>)> notify;
};

enum class RuleHealth : uint8_t { kUnknown, kGood, kBad };

struct RuleStatus {
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;
  double seconds = 0;           // that the last evaluation took
  int64_t evaluated_at_ms = 0;  // when it began; 0: never
  AlertState state = AlertState::kInactive;
  TextPairs labels;                 // the group's among them
  std::vector<ActiveAlert> alerts;  // pending and firing ones
};

struct GroupStatus {
  std::shared_ptr<const RuleGroup> group;
  int64_t interval_ms = 0;
  double seconds = 0;
  int64_t evaluated_at_ms = 0;    // when the last evaluation began; 0: never
  std::vector<RuleStatus> rules;  // as group->rules
};

// A row of what is stored. Rules are told apart by name, labels and, of equal ones, their order.
struct StoredAlert {
  std::string rule;
  AlertChange alert;
};

class GroupEvaluator {
 public:
  GroupEvaluator(RuleGroup group, const GroupSettings& settings, GroupTools tools);

  // One iteration. `cancelled` may be null; when it is set, the rules that are left wait for the
  // next one.
  void evaluate(int64_t at_ms, const std::atomic<bool>* cancelled = nullptr) EXCLUDES(mu_);

  GroupStatus status() const EXCLUDES(mu_);
  const RuleGroup& group() const { return *group_; }
  const GroupSettings& settings() const { return settings_; }
  int64_t interval_ms() const { return interval_ms_; }
  int64_t query_offset_ms() const { return query_offset_ms_; }
  // The same rules under the same settings: a reload leaves the group as it is.
  bool same_as(const GroupEvaluator& other) const;

  // State of a group of the same file and name that this one replaces.
  void take_over(GroupEvaluator& from) EXCLUDES(mu_);
  // All series that the group wrote, of a group that is gone.
  std::vector<model::Labels> release_series();

  // What differs from what was stored, and the word that it has been stored since.
  std::vector<StoredAlert> changes() const EXCLUDES(mu_);
  void stored() EXCLUDES(mu_);
  // Before the first evaluation: false when there is no such rule any more.
  bool restore(std::string_view rule, ActiveAlert alert) EXCLUDES(mu_);
  // From now on, until restore_from_series(), alerts have no series of their own: those of the
  // process before may still be needed.
  void await_restore() EXCLUDES(mu_);
  // The time since when alerts are active, from ALERTS_FOR_STATE, for rules of which nothing was
  // stored; Prometheus calls it after the second evaluation.
  void restore_from_series(int64_t now_ms) EXCLUDES(mu_);

 private:
  struct Run {
    std::string id;
    TextPairs labels;
    RuleSeries series;
    bool restored = true;
    bool answered = false;  // the expression of the last evaluation
    RuleStatus status;
    AlertStates alerts;
  };

  // How many samples it gave.
  size_t evaluate_rule(size_t i, int64_t at_ms, const std::atomic<bool>* cancelled) EXCLUDES(mu_);
  Result<std::vector<RuleSample>> results(size_t i, int64_t at_ms,
                                          const std::atomic<bool>* cancelled) EXCLUDES(mu_);
  Result<std::vector<RuleSample>> vector_of(const query::promql::Expr* expr, std::string_view text,
                                            int64_t at_ms, const std::atomic<bool>* cancelled);
  Result<std::vector<RuleSample>> recorded(const Run& run, const Rule& rule,
                                           std::vector<RuleSample> vector) const;
  Result<std::vector<RuleSample>> alerted(Run& run, const Rule& rule,
                                          const std::vector<RuleSample>& vector, int64_t at_ms,
                                          const std::atomic<bool>* cancelled) EXCLUDES(mu_);
  AlertElement element_of(const Run& run, const Rule& rule, const RuleSample& sample, int64_t at_ms,
                          const std::atomic<bool>* cancelled);
  Status keep_not_clear(Run& run, const Rule& rule, int64_t at_ms,
                        std::vector<AlertElement>& elements, const std::atomic<bool>* cancelled)
      EXCLUDES(mu_);
  void restore_rule(Run& run, const Rule& rule, int64_t now_ms) EXCLUDES(mu_);
  void tell(int64_t at_ms) EXCLUDES(mu_);
  void failed(Run& run, const Error& error) EXCLUDES(mu_);

  // Fixed after construction.
  const std::shared_ptr<const RuleGroup> group_;
  const GroupSettings settings_;
  const int64_t interval_ms_;
  const int64_t query_offset_ms_;
  const GroupTools tools_;
  GroupInstruments& counts_;
  const Log log_{"rules"};

  // Of the thread that evaluates, but for `status` and `alerts`, which mu_ guards.
  std::vector<Run> runs_;
  std::vector<model::Labels> ended_;  // series of rules that are gone

  mutable Mutex mu_;
  double seconds_ GUARDED_BY(mu_) = 0;
  int64_t evaluated_at_ms_ GUARDED_BY(mu_) = 0;
  std::vector<StoredAlert> orphans_ GUARDED_BY(mu_);  // of rules that are gone, still stored
};

}  // namespace binnacle::watch::rules
