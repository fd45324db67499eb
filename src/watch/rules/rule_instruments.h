// What rules count about themselves, with the meaning of Prometheus' prometheus_rule_*. Made once;
// any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/instruments.h"
#include "base/mutex.h"

namespace binnacle::watch::rules {

// Of one group; `rule_group` is "FILE;GROUP".
struct GroupInstruments {
  Counter& evaluations;
  Counter& failures;
  Counter& iterations;
  Counter& missed;
  Counter& late;
  Gauge& interval;
  Gauge& last_evaluation;
  Gauge& last_duration;
  Gauge& last_rule_duration_sum;
  Gauge& last_restore_duration;
  Gauge& last_samples;
  Gauge& rules;
};

class RuleInstruments {
 public:
  explicit RuleInstruments(Registry& registry);

  // Lives as long as this.
  GroupInstruments& group(const std::string& file, const std::string& name) EXCLUDES(mu_);

  // Fixed after construction.
  Histogram& rule_seconds;
  Histogram& group_seconds;
  Counter& template_failures;
  Counter& state_failures;
  Counter& notify_failures;

 private:
  Registry& registry_;
  Mutex mu_;
  std::map<std::string, std::unique_ptr<GroupInstruments>> groups_ GUARDED_BY(mu_);
};

}  // namespace binnacle::watch::rules
