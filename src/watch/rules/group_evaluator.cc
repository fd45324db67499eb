#include "watch/rules/group_evaluator.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <fmt/format.h>

#include "net/http.h"
#include "query/promql/engine.h"
#include "query/promql/parser.h"

namespace binnacle::watch::rules {
namespace {

constexpr std::string_view kAlerts = "ALERTS";
constexpr std::string_view kAlertsForState = "ALERTS_FOR_STATE";
constexpr std::string_view kAlertStateLabel = "alertstate";

// Unlike for equal rules of a group the number of which comes last.
std::string rule_id(const Rule& rule, const TextPairs& labels, size_t number) {
  std::string id = fmt::format("{} {}", rule.alerting ? "alert" : "record", rule.name);
  for (const auto& [name, value] : labels) id += fmt::format("\x1f{}\x1e{}", name, value);
  return number == 0 ? id : fmt::format("{}\x1d{}", id, number);
}

// Labels that are templates come with their text, as Prometheus has it: each alert's own go over
// them.
model::Labels alert_series(const TextPairs& rule_labels, const ActiveAlert& alert,
                           std::string_view metric, std::string_view state) {
  model::LabelsBuilder builder;
  for (const auto& [name, value] : rule_labels) builder.set(name, value);
  for (const model::Label& label : alert.labels) builder.set(label.name, label.value);
  builder.set(model::kMetricName, metric);
  if (!state.empty()) builder.set(kAlertStateLabel, state);
  return builder.build();
}

model::Alert told(const ActiveAlert& alert, const std::string& url, int64_t valid_until_ms,
                  int64_t now_ms) {
  return {.labels = alert.labels,
          .annotations = alert.annotations,
          .starts_at_ms = alert.fired_at_ms,
          .ends_at_ms = alert.resolved_at_ms != 0 ? alert.resolved_at_ms : valid_until_ms,
          .updated_at_ms = now_ms,
          .generator_url = url};
}

// As Prometheus links to the expression: a query's escapes, a plus for a space.
std::string generator_url(const std::string& external_url, const std::string& expr) {
  std::string escaped = net::percent_encode(expr);
  for (size_t at = 0; (at = escaped.find("%20", at)) != std::string::npos;)
    escaped.replace(at, 3, "+");
  return fmt::format("{}/graph?g0.expr={}&g0.tab=1", external_url, escaped);
}

bool same_rule(const Rule& a, const Rule& b) {
  return a.alerting == b.alerting && a.name == b.name && a.expr == b.expr && a.for_ms == b.for_ms &&
         a.keep_firing_for_ms == b.keep_firing_for_ms && a.labels == b.labels &&
         a.annotations == b.annotations && a.clear_expr == b.clear_expr;
}

}  // namespace

GroupEvaluator::GroupEvaluator(RuleGroup group, const GroupSettings& settings, GroupTools tools)
    : group_(std::make_shared<const RuleGroup>(std::move(group))),
      settings_(settings),
      interval_ms_(group_->interval_ms > 0 ? group_->interval_ms : settings.evaluation_interval_ms),
      query_offset_ms_(group_->query_offset_ms.value_or(settings.query_offset_ms)),
      tools_(std::move(tools)),
      counts_(tools_.instruments.group(group_->file, group_->name)),
      runs_(group_->rules.size()) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const Rule& rule = group_->rules[i];
    runs_[i].labels = labels_of(*group_, rule);
    runs_[i].id = rule_id(rule, runs_[i].labels, 0);
    if (const size_t number = seen[runs_[i].id]++; number > 0)
      runs_[i].id = rule_id(rule, runs_[i].labels, number);
    runs_[i].status.labels = runs_[i].labels;
  }
  counts_.interval.set(static_cast<double>(interval_ms_) / 1e3);
  counts_.rules.set(static_cast<double>(runs_.size()));
}

void GroupEvaluator::evaluate(int64_t at_ms, const std::atomic<bool>* cancelled) {
  const int64_t wall_ms = tools_.clock.wall_ms();
  const int64_t begin_ns = tools_.clock.monotonic_ns();
  counts_.iterations.add();
  size_t samples = 0;
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return;
    samples += evaluate_rule(i, at_ms, cancelled);
  }
  if (const auto ended = end_series(tools_.writes, at_ms - query_offset_ms_, ended_); ended) {
    ended_.clear();
  } else {
    log_.warn("series of rules that are gone have no end yet",
              {{"group", group_->name}, {"error", ended.error().message}});
  }
  tell(at_ms);
  const double seconds = static_cast<double>(tools_.clock.monotonic_ns() - begin_ns) / 1e9;
  tools_.instruments.group_seconds.observe(seconds);
  counts_.last_duration.set(seconds);
  counts_.last_samples.set(static_cast<double>(samples));
  counts_.last_evaluation.set(static_cast<double>(wall_ms) / 1e3);
  double rule_seconds = 0;
  for (const Run& run : runs_) rule_seconds += run.status.seconds;
  counts_.last_rule_duration_sum.set(rule_seconds);
  MutexLock lock(mu_);
  seconds_ = seconds;
  evaluated_at_ms_ = wall_ms;
}

size_t GroupEvaluator::evaluate_rule(size_t i, int64_t at_ms, const std::atomic<bool>* cancelled) {
  Run& run = runs_[i];
  const int64_t wall_ms = tools_.clock.wall_ms();
  const int64_t begin_ns = tools_.clock.monotonic_ns();
  counts_.evaluations.add();
  const auto samples = results(i, at_ms, cancelled);
  run.answered = samples.has_value();
  Status outcome;
  size_t count = 0;
  if (!samples) {
    outcome = fail(samples.error());
  } else {
    count = samples->size();
    outcome = run.series.write(tools_.writes, at_ms - query_offset_ms_, *samples);
  }
  const double seconds = static_cast<double>(tools_.clock.monotonic_ns() - begin_ns) / 1e9;
  tools_.instruments.rule_seconds.observe(seconds);
  if (!outcome) failed(run, outcome.error());
  MutexLock lock(mu_);
  run.status.seconds = seconds;
  run.status.evaluated_at_ms = wall_ms;
  if (!outcome) return count;
  run.status.health = RuleHealth::kGood;
  run.status.last_error.clear();
  return count;
}

void GroupEvaluator::failed(Run& run, const Error& error) {
  counts_.failures.add();
  if (error.code != Code::kCancelled) {
    log_.warn("evaluating a rule failed", {{"file", group_->file},
                                           {"group", group_->name},
                                           {"rule", run.id.substr(0, run.id.find('\x1f'))},
                                           {"error", error.message}});
  }
  MutexLock lock(mu_);
  run.status.health = RuleHealth::kBad;
  run.status.last_error = error.message;
}

Result<std::vector<RuleSample>> GroupEvaluator::results(size_t i, int64_t at_ms,
                                                        const std::atomic<bool>* cancelled) {
  Run& run = runs_[i];
  const Rule& rule = group_->rules[i];
  TRY_ASSIGN(auto vector,
             vector_of(rule.parsed.get(), rule.expr, at_ms - query_offset_ms_, cancelled));
  return rule.alerting ? alerted(run, rule, vector, at_ms, cancelled)
                       : recorded(run, rule, std::move(vector));
}

Result<std::vector<RuleSample>> GroupEvaluator::vector_of(const query::promql::Expr* expr,
                                                          std::string_view text, int64_t at_ms,
                                                          const std::atomic<bool>* cancelled) {
  const query::promql::Query query{
      .text = std::string(text), .steps = {at_ms, at_ms, 0}, .instant = true};
  auto answer = expr == nullptr ? query::promql::evaluate(tools_.reads, query, tools_.limits,
                                                          tools_.clock, cancelled)
                                : query::promql::evaluate(tools_.reads, *expr, query, tools_.limits,
                                                          tools_.clock, cancelled);
  TRY(answer);
  std::vector<RuleSample> out;
  switch (answer->type) {
    case query::promql::ValueType::kScalar:
      out.push_back({{}, answer->scalar});
      return out;
    case query::promql::ValueType::kVector:
      out.reserve(answer->rows.size());
      for (auto& row : answer->rows) out.push_back({std::move(row.labels), row.values[0]});
      return out;
    default:
      return fail(Code::kInvalidArgument, "rule result is not a vector or scalar");
  }
}

Result<std::vector<RuleSample>> GroupEvaluator::recorded(const Run& run, const Rule& rule,
                                                         std::vector<RuleSample> vector) const {
  std::unordered_set<std::string> seen;
  for (RuleSample& sample : vector) {
    model::LabelsBuilder builder(sample.labels);
    builder.set(model::kMetricName, rule.name);
    for (const auto& [name, value] : run.labels) builder.set(name, value);
    sample.labels = builder.build();
    if (seen.insert(sample.labels.packed()).second) continue;
    return fail(Code::kAlreadyExists,
                fmt::format("vector contains metrics with the same labelset after applying rule "
                            "labels ({})",
                            sample.labels.to_string()));
  }
  if (group_->limit == 0 || vector.size() <= group_->limit) return vector;
  return fail(Code::kResourceExhausted,
              fmt::format("exceeded limit of {} with {} series", group_->limit, vector.size()));
}

AlertElement GroupEvaluator::element_of(const Run& run, const Rule& rule, const RuleSample& sample,
                                        int64_t at_ms, const std::atomic<bool>* cancelled) {
  const TemplateQuery query = [&](std::string_view expr) {
    return vector_of(nullptr, expr, at_ms, cancelled);
  };
  const auto expand = [&](const std::string& text) -> std::string {
    if (!tools_.expand || text.find("{{") == std::string::npos) return text;
    auto expanded = tools_.expand({rule.name, text, sample.labels, sample.value, at_ms,
                                   settings_.external_labels, settings_.external_url, query});
    if (expanded) return *std::move(expanded);
    tools_.instruments.template_failures.add();
    log_.warn("expanding a template of an alert failed",
              {{"alert", rule.name}, {"error", expanded.error().message}});
    return fmt::format("<error expanding template: {}>", expanded.error().message);
  };
  model::LabelsBuilder labels(sample.labels);
  labels.remove(model::kMetricName);
  for (const auto& [name, text] : run.labels) labels.set(name, expand(text));
  labels.set(model::kAlertName, rule.name);
  model::LabelsBuilder annotations;
  for (const auto& [name, text] : rule.annotations) annotations.set(name, expand(text));
  return {labels.build(), annotations.build(), sample.value};
}

// What the expression lost and x-clear still has goes on.
Status GroupEvaluator::keep_not_clear(Run& run, const Rule& rule, int64_t at_ms,
                                      std::vector<AlertElement>& elements,
                                      const std::atomic<bool>* cancelled) {
  if (rule.clear == nullptr) return {};
  std::set<std::string> firing;
  {
    MutexLock lock(mu_);
    firing = run.alerts.firing_without(elements);
  }
  if (firing.empty()) return {};
  TRY_ASSIGN(const auto vector,
             vector_of(rule.clear.get(), rule.clear_expr, at_ms - query_offset_ms_, cancelled));
  for (const RuleSample& sample : vector) {
    AlertElement element = element_of(run, rule, sample, at_ms, cancelled);
    if (firing.erase(element.labels.packed()) > 0) elements.push_back(std::move(element));
  }
  return {};
}

Result<std::vector<RuleSample>> GroupEvaluator::alerted(Run& run, const Rule& rule,
                                                        const std::vector<RuleSample>& vector,
                                                        int64_t at_ms,
                                                        const std::atomic<bool>* cancelled) {
  std::vector<AlertElement> elements;
  elements.reserve(vector.size());
  for (const RuleSample& sample : vector)
    elements.push_back(element_of(run, rule, sample, at_ms, cancelled));
  TRY(keep_not_clear(run, rule, at_ms, elements, cancelled));
  MutexLock lock(mu_);
  TRY(run.alerts.step(at_ms, {rule.for_ms, rule.keep_firing_for_ms, group_->limit},
                      std::move(elements)));
  std::vector<RuleSample> samples;
  if (!run.restored) return samples;
  run.alerts.for_each_active([&](const ActiveAlert& alert) {
    samples.push_back({alert_series(run.labels, alert, kAlerts, alert_state_name(alert.state)), 1});
    samples.push_back({alert_series(run.labels, alert, kAlertsForState, ""),
                       static_cast<double>(alert.active_at_ms / 1000)});
  });
  return samples;
}

// An alert of which nobody was told stays due; one that was told is told again after
// resend_delay, so that a router which forgot it knows it again.
void GroupEvaluator::tell(int64_t at_ms) {
  if (!tools_.notify) return;
  const int64_t valid_until_ms = at_ms + 4 * std::max(interval_ms_, settings_.resend_delay_ms);
  std::vector<model::Alert> alerts;
  std::vector<std::pair<size_t, ActiveAlert>> due;
  {
    MutexLock lock(mu_);
    for (size_t i = 0; i < runs_.size(); ++i) {
      if (!runs_[i].answered) continue;
      const auto of_rule = runs_[i].alerts.due(at_ms, settings_.resend_delay_ms);
      if (of_rule.empty()) continue;
      const std::string url = generator_url(settings_.external_url, group_->rules[i].expr);
      for (const ActiveAlert& alert : of_rule) {
        alerts.push_back(told(alert, url, valid_until_ms, at_ms));
        due.emplace_back(i, alert);
      }
    }
  }
  if (alerts.empty()) return;
  if (const auto taken = tools_.notify(std::move(alerts)); !taken) {
    tools_.instruments.notify_failures.add();
    log_.warn("the router did not take alerts; they are told again",
              {{"group", group_->name}, {"error", taken.error().message}});
    return;
  }
  MutexLock lock(mu_);
  for (const auto& [i, alert] : due) runs_[i].alerts.sent(alert, at_ms, valid_until_ms);
}

GroupStatus GroupEvaluator::status() const {
  GroupStatus out{.group = group_, .interval_ms = interval_ms_};
  MutexLock lock(mu_);
  out.seconds = seconds_;
  out.evaluated_at_ms = evaluated_at_ms_;
  for (const Run& run : runs_) {
    out.rules.push_back(run.status);
    out.rules.back().state = run.alerts.highest();
    run.alerts.for_each_active(
        [&](const ActiveAlert& alert) { out.rules.back().alerts.push_back(alert); });
  }
  return out;
}

bool GroupEvaluator::same_as(const GroupEvaluator& other) const {
  const RuleGroup& a = *group_;
  const RuleGroup& b = *other.group_;
  return a.file == b.file && a.name == b.name && interval_ms_ == other.interval_ms_ &&
         query_offset_ms_ == other.query_offset_ms_ && a.limit == b.limit && a.labels == b.labels &&
         settings_ == other.settings_ && std::ranges::equal(a.rules, b.rules, same_rule);
}

void GroupEvaluator::take_over(GroupEvaluator& from) {
  std::map<std::string, Run*> mine;
  for (Run& run : runs_) mine.emplace(run.id, &run);
  ended_ = std::move(from.ended_);
  MutexLock lock(mu_);
  {
    MutexLock from_lock(from.mu_);
    orphans_ = std::move(from.orphans_);
    seconds_ = from.seconds_;
    evaluated_at_ms_ = from.evaluated_at_ms_;
  }
  for (Run& run : from.runs_) {
    const auto it = mine.find(run.id);
    if (it == mine.end()) {
      for (model::Labels& labels : run.series.release()) ended_.push_back(std::move(labels));
      run.alerts.forget_all();
      for (AlertChange& change : run.alerts.changes())
        orphans_.push_back({run.id, std::move(change)});
      continue;
    }
    it->second->series = std::move(run.series);
    it->second->restored = run.restored;
    it->second->alerts.take_over(run.alerts);
  }
}

std::vector<model::Labels> GroupEvaluator::release_series() {
  std::vector<model::Labels> out = std::move(ended_);
  ended_.clear();
  for (Run& run : runs_)
    for (model::Labels& labels : run.series.release()) out.push_back(std::move(labels));
  return out;
}

std::vector<StoredAlert> GroupEvaluator::changes() const {
  std::vector<StoredAlert> out;
  MutexLock lock(mu_);
  out = orphans_;
  for (const Run& run : runs_)
    for (AlertChange& change : run.alerts.changes()) out.push_back({run.id, std::move(change)});
  return out;
}

void GroupEvaluator::stored() {
  MutexLock lock(mu_);
  orphans_.clear();
  for (Run& run : runs_) run.alerts.stored();
}

bool GroupEvaluator::restore(std::string_view rule, ActiveAlert alert) {
  MutexLock lock(mu_);
  for (Run& run : runs_) {
    if (run.id != rule) continue;
    run.alerts.restore(std::move(alert));
    return true;
  }
  return false;
}

}  // namespace binnacle::watch::rules
