// Service level objectives of models, turned into groups of ordinary rules: what was good of what
// was served, over short and long times, what is left of the error budget, and alerts on how fast
// it burns. Pure; any thread. docs/objectives.md is for operators. Source: Google, "The Site
// Reliability Workbook", chapter 5 (alerts on two windows at three burn rates).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watch/rules/rule_file.h"

namespace binnacle::watch::rules {

enum class ObjectiveKind : uint8_t {
  kTimeToFirstToken,  // requests whose first token came within `threshold` seconds
  kTokensPerSecond,   // time at which answers came at `threshold` tokens a second or more
  kErrorRate,         // requests that did not fail
  kAvailability,      // time at which an engine served the model
};
Result<ObjectiveKind> objective_kind(std::string_view name);
std::string_view objective_kind_name(ObjectiveKind kind);  // "ttft", "tokens_per_second", ...

inline constexpr int64_t kDayMs = 86'400'000;

struct Objective {
  std::string name;   // unique; label `slo` of all that is recorded
  std::string model;  // as label `model` of the llm_* series has it
  ObjectiveKind kind = ObjectiveKind::kAvailability;
  double target = 0.99;  // the share that must be good, over 0 and under 1
  double threshold = 0;  // of the first two kinds, over 0
  int64_t window_ms = 30 * kDayMs;
};

// A group for each, of the file "slo". kInvalidArgument names each objective that cannot be: a name
// that is taken, a target out of range, a threshold that is missing, a window under a day or over a
// year.
Result<std::vector<RuleGroup>> objective_rules(const std::vector<Objective>& objectives);

// The same as a rule file.
Result<std::string> objective_rule_file(const std::vector<Objective>& objectives);

}  // namespace binnacle::watch::rules
