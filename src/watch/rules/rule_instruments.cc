#include "watch/rules/rule_instruments.h"

namespace binnacle::watch::rules {
namespace {

// A rule may take a tenth of a millisecond, a group with many a minute.
constexpr double kSeconds[] = {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1,
                               0.5,    1,      5,     10,    30,   60};

}  // namespace

RuleInstruments::RuleInstruments(Registry& registry)
    : rule_seconds(registry.histogram("binnacle_rule_evaluation_duration_seconds",
                                      "How long the evaluation of a rule took.", kSeconds)),
      group_seconds(registry.histogram("binnacle_rule_group_duration_seconds",
                                       "How long the evaluation of a group of rules took.",
                                       kSeconds)),
      template_failures(registry.counter(
          "binnacle_rule_template_failures_total",
          "Templates of labels and annotations that could not be expanded; the text tells why.")),
      state_failures(registry.counter(
          "binnacle_rule_state_failures_total",
          "Times the state of alerts could not be written; it is written with the next one.")),
      notify_failures(registry.counter(
          "binnacle_rule_notify_failures_total",
          "Times the router did not take a group's alerts; they are handed over again.")),
      registry_(registry) {}

GroupInstruments& RuleInstruments::group(const std::string& file, const std::string& name) {
  const std::string key = file + ";" + name;
  MutexLock lock(mu_);
  auto& slot = groups_[key];
  if (slot != nullptr) return *slot;
  const InstrumentLabels labels{{"rule_group", key}};
  const auto counter = [&](std::string_view metric, std::string_view help) -> Counter& {
    return registry_.counter(metric, help, labels);
  };
  const auto gauge = [&](std::string_view metric, std::string_view help) -> Gauge& {
    return registry_.gauge(metric, help, labels);
  };
  slot.reset(new GroupInstruments{
      counter("binnacle_rule_evaluations_total", "Evaluations of rules."),
      counter("binnacle_rule_evaluation_failures_total", "Evaluations of rules that failed."),
      counter("binnacle_rule_group_iterations_total",
              "Evaluations of the group that were due, missed ones among them."),
      counter("binnacle_rule_group_iterations_missed_total",
              "Evaluations of the group that were left out, since the one before was too slow."),
      counter("binnacle_rule_group_iterations_late_total",
              "Evaluations of the group that began more than a second after their time."),
      gauge("binnacle_rule_group_interval_seconds", "How often the group is evaluated."),
      gauge("binnacle_rule_group_last_evaluation_timestamp_seconds",
            "When the last evaluation of the group began."),
      gauge("binnacle_rule_group_last_duration_seconds",
            "How long the last evaluation of the group took."),
      gauge("binnacle_rule_group_last_rule_duration_sum_seconds",
            "How long the rules of the group took in their last evaluation, summed up."),
      gauge("binnacle_rule_group_last_restore_duration_seconds",
            "How long it took to restore alerts of the group from ALERTS_FOR_STATE."),
      gauge("binnacle_rule_group_last_evaluation_samples",
            "Samples that the last evaluation of the group gave."),
      gauge("binnacle_rule_group_rules", "Rules of the group."),
  });
  return *slot;
}

}  // namespace binnacle::watch::rules
