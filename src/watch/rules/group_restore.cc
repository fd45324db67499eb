// What a group learns from ALERTS_FOR_STATE after a start, by Prometheus' rules (rules/group.go,
// RestoreForState).
#include <unordered_map>

#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {
namespace {

struct LastSample {
  int64_t at_ms = 0;
  double value = 0;
};

// Those of the rule's series whose labels do not depend on what the expression gave.
model::Matchers matchers_of(const Rule& rule, const TextPairs& labels) {
  model::Matchers out;
  const auto equal = [&](std::string_view name, std::string_view value) {
    auto matcher =
        model::Matcher::create(model::MatchOp::kEqual, std::string(name), std::string(value));
    if (matcher) out.push_back(*std::move(matcher));
  };
  equal(model::kMetricName, "ALERTS_FOR_STATE");
  equal(model::kAlertName, rule.name);
  for (const auto& [name, value] : labels) {
    if (name != model::kAlertName && value.find("{{") == std::string::npos) equal(name, value);
  }
  return out;
}

// Since when an alert is active that was so at `last`; it waits at least the grace period before
// it fires, and the time in which nobody looked does not count.
int64_t restored_active_at(const LastSample& last, int64_t for_ms, int64_t now_ms,
                           int64_t grace_ms) {
  const int64_t active_at_ms = static_cast<int64_t>(last.value) * 1000;
  const int64_t remaining_ms = for_ms - (last.at_ms - active_at_ms);
  if (remaining_ms <= 0) return active_at_ms;
  if (remaining_ms < grace_ms) return now_ms + grace_ms - for_ms;
  return active_at_ms + (now_ms - last.at_ms);
}

Result<std::unordered_map<std::string, LastSample>> last_samples(model::Querier& querier,
                                                                 const model::Matchers& matchers,
                                                                 const model::SelectHints& hints) {
  std::unordered_map<std::string, LastSample> out;
  TRY_ASSIGN(const auto set, querier.select(matchers, hints));
  model::SeriesColumns columns;
  while (set->next(columns)) {
    if (columns.values.empty() || model::is_stale(columns.values.back())) continue;
    out[model::LabelsBuilder(columns.labels).remove(model::kMetricName).build().packed()] = {
        columns.timestamps_ms.back(), columns.values.back()};
  }
  TRY(set->status());
  return out;
}

}  // namespace

void GroupEvaluator::await_restore() {
  MutexLock lock(mu_);
  for (size_t i = 0; i < runs_.size(); ++i) {
    const Rule& rule = group_->rules[i];
    runs_[i].restored =
        !rule.alerting || rule.for_ms < settings_.for_grace_period_ms || runs_[i].alerts.size() > 0;
  }
}

void GroupEvaluator::restore_rule(Run& run, const Rule& rule, int64_t now_ms) {
  const int64_t from_ms = now_ms - settings_.outage_tolerance_ms;
  auto querier = tools_.reads.querier(from_ms, now_ms);
  Result<std::unordered_map<std::string, LastSample>> last =
      querier ? last_samples(**querier, matchers_of(rule, run.labels),
                             {.start_ms = from_ms, .end_ms = now_ms})
              : fail(querier.error());
  MutexLock lock(mu_);
  run.restored = true;
  if (!last) {
    log_.warn("alerts start anew: ALERTS_FOR_STATE cannot be read",
              {{"alert", rule.name}, {"error", last.error().message}});
    return;
  }
  std::vector<model::Labels> active;
  run.alerts.for_each_active([&](const ActiveAlert& alert) { active.push_back(alert.labels); });
  for (const model::Labels& labels : active) {
    const auto it = last->find(labels.packed());
    if (it == last->end()) continue;
    run.alerts.set_active_at(
        labels, restored_active_at(it->second, rule.for_ms, now_ms, settings_.for_grace_period_ms));
  }
}

void GroupEvaluator::restore_from_series(int64_t now_ms) {
  const int64_t begin_ns = tools_.clock.monotonic_ns();
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (!runs_[i].restored) restore_rule(runs_[i], group_->rules[i], now_ms);
  }
  counts_.last_restore_duration.set(static_cast<double>(tools_.clock.monotonic_ns() - begin_ns) /
                                    1e9);
}

}  // namespace binnacle::watch::rules
