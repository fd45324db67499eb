#include "watch/rules/objectives.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "query/promql/literal_text.h"
#include "query/promql/printer.h"

namespace binnacle::watch::rules {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kKindNames = {"ttft", "tokens_per_second", "error_rate",
                                                        "availability"};
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kMinWindowMs = kDayMs;
constexpr int64_t kMaxWindowMs = 366 * kDayMs;
constexpr std::string_view kErrors = "binnacle_slo_errors:rate2m";
constexpr std::string_view kEvents = "binnacle_slo_events:rate2m";

// A share of the budget, spent within `over_ms`, is worth an alert; the short window ends the alert
// soon after the trouble ends.
struct Burn {
  double budget_share;
  int64_t over_ms;
  std::string_view over;
  std::string_view recent;
  std::string_view severity;
  std::string_view wait;
};
constexpr std::array<Burn, 3> kBurns = {{
    {0.02, kHourMs, "1h", "5m", "critical", "2m"},
    {0.05, 6 * kHourMs, "6h", "30m", "critical", "15m"},
    {0.10, 3 * kDayMs, "3d", "6h", "warning", "1h"},
}};
constexpr std::array<std::string_view, 6> kWindows = {"5m", "30m", "1h", "6h", "24h", "3d"};

// What a bucket's bound may look like: 1 and 1.0 are the same.
std::string bound_matcher(double bound) {
  const std::string text = fmt::format("{}", bound);
  if (std::trunc(bound) != bound) return fmt::format("le=\"{}\"", text);
  return fmt::format(R"(le=~"{}(\\.0)?")", text);
}

// Errors and events a second; of kinds that go by time, at each evaluation 1 or 0 of 1.
struct Counts {
  std::string errors;
  std::string events;
};

Counts counts_of(const Objective& objective) {
  const std::string model = "model=" + query::promql::in_quotes(objective.model);
  switch (objective.kind) {
    case ObjectiveKind::kTimeToFirstToken: {
      const std::string events =
          fmt::format("sum(rate(llm_time_to_first_token_seconds_count{{{}}}[2m]))", model);
      return {fmt::format("{} - sum(rate(llm_time_to_first_token_seconds_bucket{{{},{}}}[2m]))",
                          events, model, bound_matcher(objective.threshold)),
              events};
    }
    case ObjectiveKind::kTokensPerSecond: {
      const std::string speed = fmt::format(
          "sum(rate(llm_inter_token_latency_seconds_count{{{0}}}[2m])) / "
          "(sum(rate(llm_inter_token_latency_seconds_sum{{{0}}}[2m])) > 0)",
          model);
      return {fmt::format("{} < bool {}", speed, objective.threshold),
              fmt::format("{} >= bool 0", speed)};
    }
    case ObjectiveKind::kErrorRate: {
      const std::string events =
          fmt::format("sum(rate(llm_requests_finished_total{{{}}}[2m]))", model);
      return {fmt::format("sum(rate(llm_request_errors_total{{{},reason!=\"abort\"}}[2m])) or 0 * "
                          "{}",
                          model, events),
              events};
    }
    case ObjectiveKind::kAvailability:
      return {fmt::format("1 - (clamp_max(count(llm_requests_running{{{}}} unless on (instance) "
                          "(binnacle_engine_state{{state=~\"wedged|down\"}} == 1)), 1) or "
                          "vector(0))",
                          model),
              "vector(1)"};
  }
  return {};
}

// Writes one objective's group.
class GroupWriter {
 public:
  explicit GroupWriter(const Objective& objective)
      : objective_(objective),
        window_(objective.window_ms == kDayMs ? "24h"
                                              : query::promql::duration_text(objective.window_ms)),
        selector_(fmt::format("slo={}", query::promql::in_quotes(objective.name))) {}

  json write() {
    const Counts counts = counts_of(objective_);
    record(std::string(kErrors), counts.errors);
    record(std::string(kEvents), counts.events);
    record("binnacle_slo_target_ratio", fmt::format("vector({})", objective_.target));
    for (const std::string_view window : kWindows) record_error_ratio(window);
    if (std::ranges::find(kWindows, window_) == kWindows.end()) record_error_ratio(window_);
    for (const std::string_view window : {"1h", "24h"}) record_compliance(window);
    if (window_ != "24h") record_compliance(window_);
    record("binnacle_slo_error_budget_remaining_ratio",
           fmt::format("1 - {} / {}", ratio(window_), budget()), window_);
    for (const Burn& burn : kBurns) alert(burn);
    alert_without_data();
    return {{"name", objective_.name}, {"interval", "1m"}, {"rules", std::move(rules_)}};
  }

 private:
  std::string budget() const { return fmt::format("(1 - {})", objective_.target); }
  std::string ratio(std::string_view window) const {
    return fmt::format("binnacle_slo_error_ratio{{{},window=\"{}\"}}", selector_, window);
  }

  void record(const std::string& name, const std::string& expr, std::string_view window = "") {
    json labels = {{"slo", objective_.name}, {"model", objective_.model}};
    if (!window.empty()) labels["window"] = window;
    rules_.push_back({{"record", name}, {"expr", expr}, {"labels", std::move(labels)}});
  }

  // Weighed by what was served: a bad minute at night counts less than one at noon.
  void record_error_ratio(std::string_view window) {
    record("binnacle_slo_error_ratio",
           fmt::format("sum_over_time({0}{{{2}}}[{3}]) / (sum_over_time({1}{{{2}}}[{3}]) > 0)",
                       kErrors, kEvents, selector_, window),
           window);
  }
  void record_compliance(std::string_view window) {
    record("binnacle_slo_compliance_ratio", "1 - " + ratio(window), window);
  }

  void alert(const Burn& burn) {
    // Of 30 days: 14.4, 6 and 1. Slower than the budget allows is never an alert.
    const double rate =
        std::max(1.0, burn.budget_share * static_cast<double>(objective_.window_ms) /
                          static_cast<double>(burn.over_ms));
    const std::string limit = fmt::format("{:.6g} * {}", rate, budget());
    rules_.push_back(
        {{"alert", "ErrorBudgetBurn"},
         {"expr", fmt::format("{} > {} and ignoring (window) {} > {}", ratio(burn.over), limit,
                              ratio(burn.recent), limit)},
         {"for", burn.wait},
         {"labels", labels(burn.severity, burn.over)},
         {"annotations",
          {{"summary", "An error budget burns"},
           {"description",
            fmt::format("{{{{ $value | humanizePercentage }}}} of {} was bad in the last {}: the "
                        "error budget of {{{{ $labels.slo }}}} burns over {:.3g} times as fast as "
                        "{} allow.",
                        described(), burn.over, rate, window_)},
           {"runbook_url", "docs/objectives.md"}}}});
  }

  // Counts without their good part: no bucket ends at the threshold.
  void alert_without_data() {
    if (objective_.kind != ObjectiveKind::kTimeToFirstToken) return;
    rules_.push_back(
        {{"alert", "ObjectiveWithoutData"},
         {"expr", fmt::format("{0}{{{2}}} unless {1}{{{2}}}", kEvents, kErrors, selector_)},
         {"for", "15m"},
         {"labels", labels("info")},
         {"annotations",
          {{"summary", "An objective cannot be measured"},
           {"description",
            fmt::format("No bucket of the time to the first token ends at {} s, the threshold of "
                        "{{{{ $labels.slo }}}}.",
                        objective_.threshold)},
           {"runbook_url", "docs/objectives.md"}}}});
  }

  // What the expression has as well: rules that differ in it alone look the same to promtool.
  json labels(std::string_view severity, std::string_view window = "") const {
    json labels = {{"severity", severity}, {"slo", objective_.name}, {"model", objective_.model}};
    if (!window.empty()) labels["window"] = window;
    return labels;
  }

  std::string described() const {
    const bool by_time = objective_.kind == ObjectiveKind::kTokensPerSecond ||
                         objective_.kind == ObjectiveKind::kAvailability;
    return by_time ? "the time" : "all requests";
  }

  const Objective& objective_;
  const std::string window_;
  const std::string selector_;
  json rules_ = json::array();
};

void check_objective(const Objective& objective, std::set<std::string>& names,
                     std::vector<std::string>& problems) {
  const auto problem = [&](std::string_view what, std::string_view advice) {
    problems.push_back(fmt::format("objective \"{}\": {}: {}", objective.name, what, advice));
  };
  if (objective.name.empty()) problem("it has no name", "the name becomes the label slo");
  if (!names.insert(objective.name).second)
    problem("this name is taken already", "each objective needs a name of its own");
  if (objective.model.empty())
    problem("it names no model", "write the label model of llm_* series");
  if (!(objective.target > 0 && objective.target < 1))
    problem(fmt::format("a target of {}", objective.target), "write a share such as 0.99");
  const bool needs_threshold = objective.kind == ObjectiveKind::kTimeToFirstToken ||
                               objective.kind == ObjectiveKind::kTokensPerSecond;
  if (needs_threshold && !(objective.threshold > 0 && std::isfinite(objective.threshold)))
    problem(fmt::format("{} needs a threshold", objective_kind_name(objective.kind)),
            "seconds of ttft, tokens a second of tokens_per_second");
  if (objective.window_ms < kMinWindowMs || objective.window_ms > kMaxWindowMs)
    problem("its window cannot be " + query::promql::duration_text(objective.window_ms),
            "write 1d to 366d");
}

}  // namespace

Result<ObjectiveKind> objective_kind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found != kKindNames.end()) return static_cast<ObjectiveKind>(found - kKindNames.begin());
  return fail(Code::kInvalidArgument, fmt::format("unknown kind of objective ({}): write {}", name,
                                                  fmt::join(kKindNames, ", ")));
}

std::string_view objective_kind_name(ObjectiveKind kind) {
  return kKindNames.at(static_cast<size_t>(kind));
}

Result<std::string> objective_rule_file(const std::vector<Objective>& objectives) {
  std::vector<std::string> problems;
  std::set<std::string> names;
  for (const Objective& objective : objectives) check_objective(objective, names, problems);
  if (!problems.empty())
    return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n")));
  json groups = json::array();
  for (const Objective& objective : objectives) groups.push_back(GroupWriter(objective).write());
  // JSON is YAML.
  return json{{"groups", std::move(groups)}}.dump(1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<RuleGroup>> objective_rules(const std::vector<Objective>& objectives) {
  TRY_ASSIGN(const std::string file, objective_rule_file(objectives));
  return read_rule_file(file, "slo");
}

}  // namespace binnacle::watch::rules
