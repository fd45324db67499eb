#include "watch/rules/unit_test_run.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/instruments.h"
#include "query/promql/engine.h"
#include "query/promql/printer.h"
#include "watch/rules/unit_test_diff.h"

namespace binnacle::watch::rules {
namespace {

using query::promql::QueryAnswer;
using query::promql::ScriptSeries;
using query::promql::ScriptStore;
using query::promql::ScriptValue;
using query::promql::ValueType;

// A test of a year at a second each; more is a slip of the pen.
constexpr int64_t kMaxEvaluations = 40'000'000;

class UnitTestRun {
 public:
  UnitTestRun(const UnitTestFile& file, const UnitTest& test, const UnitTestTools& tools)
      : file_(file), test_(test), tools_(tools), next_(test.series.size()), refs_(next_.size()) {
    limits_.default_step_ms = file.evaluation_interval_ms;
  }

  Result<std::vector<UnitTestFailure>> run(const std::vector<RuleGroup>& groups) {
    TRY_ASSIGN(store_, tools_.make_store());
    make_groups(groups);
    const int64_t span_ms = last_eval_ms();
    if (span_ms / file_.evaluation_interval_ms > kMaxEvaluations) {
      failures_.push_back(
          {test_.line,
           "test " + test_.name,
           fmt::format("more than {} evaluations; widen evaluation_interval", kMaxEvaluations),
           {}});
      return std::move(failures_);
    }
    for (int64_t after_ms = 0; after_ms <= span_ms; after_ms += file_.evaluation_interval_ms) {
      TRY(load_until(after_ms));
      if (!evaluate(after_ms)) return std::move(failures_);
      check_alerts(after_ms);
    }
    for (const ExprExpectation& expected : test_.exprs) check_expr(expected);
    return std::move(failures_);
  }

 private:
  void make_groups(const std::vector<RuleGroup>& groups) {
    GroupSettings settings;
    settings.evaluation_interval_ms = test_.interval_ms;
    settings.external_labels = test_.external_labels;
    settings.external_url = test_.external_url;
    const GroupTools tools{.reads = store_->queryable(),
                           .writes = store_->appendable(),
                           .clock = tools_.clock,
                           .instruments = instruments_,
                           .limits = limits_,
                           .expand = tools_.expand,
                           .notify = nullptr};
    for (const RuleGroup& group : groups)
      groups_.push_back(std::make_unique<GroupEvaluator>(group, settings, tools));
    std::ranges::stable_sort(groups_, {}, [this](const std::unique_ptr<GroupEvaluator>& group) {
      const auto at = std::ranges::find(file_.group_eval_order, group->group().name);
      return at == file_.group_eval_order.end() ? 0 : at - file_.group_eval_order.begin();
    });
  }

  int64_t last_eval_ms() const {
    int64_t last_ms = 0;
    for (const AlertExpectation& one : test_.alerts) last_ms = std::max(last_ms, one.eval_ms);
    for (const ExprExpectation& one : test_.exprs) last_ms = std::max(last_ms, one.eval_ms);
    return last_ms;
  }

  // Samples come in before the evaluation at their time and never before another.
  Status load_until(int64_t after_ms) {
    const std::unique_ptr<model::Appender> appender = store_->appendable().appender();
    for (size_t i = 0; i < next_.size(); ++i) {
      const ScriptSeries& series = test_.series[i];
      for (size_t& at = next_[i]; at < series.values.size(); ++at) {
        const int64_t sample_ms = static_cast<int64_t>(at) * test_.interval_ms;
        if (sample_ms > after_ms) break;
        if (series.values[at].kind != ScriptValue::Kind::kFloat) continue;
        TRY_ASSIGN(refs_[i],
                   appender->append(refs_[i], series.labels,
                                    {test_.start_ms + sample_ms, series.values[at].value}));
      }
    }
    TRY_ASSIGN(const model::CommitReport report, appender->commit());
    if (!report.refused.empty()) return fail(report.refused.front().error);
    return {};
  }

  // False: a rule could not be evaluated, and what follows would mean nothing.
  bool evaluate(int64_t after_ms) {
    bool good = true;
    for (const auto& group : groups_) {
      group->evaluate(test_.start_ms + after_ms);
      const GroupStatus status = group->status();
      for (size_t i = 0; i < status.rules.size(); ++i) {
        if (status.rules[i].health != RuleHealth::kBad) continue;
        good = false;
        const Rule& rule = status.group->rules[i];
        failures_.push_back({test_.line,
                             fmt::format("rule {} at {}", rule.name, time(after_ms)),
                             status.rules[i].last_error,
                             {}});
      }
    }
    return good;
  }

  // Those for times from this evaluation to the next.
  void check_alerts(int64_t after_ms) {
    std::map<std::string, std::vector<AlertText>> got;
    bool collected = false;
    for (const AlertExpectation& expected : test_.alerts) {
      if (expected.eval_ms < after_ms ||
          expected.eval_ms >= after_ms + file_.evaluation_interval_ms)
        continue;
      if (!collected) got = firing();
      collected = true;
      std::vector<std::string> diff = alert_diff(expected.alerts, got[expected.alert]);
      if (diff.empty()) continue;
      failures_.push_back({expected.line,
                           fmt::format("alert {} at {}", expected.alert, time(expected.eval_ms)),
                           "", std::move(diff)});
    }
  }

  // By name, sorted; an alert may stand in several groups.
  std::map<std::string, std::vector<AlertText>> firing() const {
    std::map<std::string, std::vector<AlertText>> found;
    for (const auto& group : groups_) {
      const GroupStatus status = group->status();
      for (size_t i = 0; i < status.rules.size(); ++i) {
        for (const ActiveAlert& alert : status.rules[i].alerts) {
          if (alert.state != AlertState::kFiring) continue;
          found[status.group->rules[i].name].push_back(
              {pairs(alert.labels), pairs(alert.annotations)});
        }
      }
    }
    for (auto& [name, alerts] : found) std::ranges::sort(alerts);
    return found;
  }

  void check_expr(const ExprExpectation& expected) {
    UnitTestFailure failure{
        expected.line, fmt::format("expr {} at {}", expected.expr, time(expected.eval_ms)), "", {}};
    const int64_t at_ms = test_.start_ms + expected.eval_ms;
    Result<QueryAnswer> answer = query::promql::evaluate(
        store_->queryable(), {expected.expr, {at_ms, at_ms, 0}, true}, limits_, tools_.clock);
    if (!answer) {
      failure.problem = answer.error().message;
    } else if (answer->type != ValueType::kVector && answer->type != ValueType::kScalar) {
      failure.problem = "the expression gives neither a vector nor a scalar";
    } else {
      failure.diff =
          sample_diff(expected.samples, samples(std::move(*answer)), file_.fuzzy_compare);
    }
    if (!failure.problem.empty() || !failure.diff.empty()) failures_.push_back(std::move(failure));
  }

  static std::vector<RuleSample> samples(QueryAnswer answer) {
    std::vector<RuleSample> out;
    if (answer.type == ValueType::kScalar) out.push_back({model::Labels(), answer.scalar});
    for (query::promql::OwnedRow& row : answer.rows)
      out.push_back({std::move(row.labels), row.values.front()});
    return out;
  }

  static TextPairs pairs(const model::Labels& labels) {
    TextPairs out;
    for (const model::Label& label : labels) out.emplace_back(label.name, label.value);
    return out;
  }

  static std::string time(int64_t ms) { return query::promql::duration_text(ms); }

  // Fixed after construction.
  const UnitTestFile& file_;
  const UnitTest& test_;
  const UnitTestTools& tools_;
  query::promql::QueryLimits limits_;

  Registry registry_;
  RuleInstruments instruments_{registry_};
  std::unique_ptr<ScriptStore> store_;
  std::vector<std::unique_ptr<GroupEvaluator>> groups_;  // before the store and the instruments go
  std::vector<size_t> next_;                             // value of each series to come
  std::vector<model::SeriesRef> refs_;
  std::vector<UnitTestFailure> failures_;
};

}  // namespace

Result<std::vector<UnitTestFailure>> run_unit_test(const UnitTestFile& file, const UnitTest& test,
                                                   const std::vector<RuleGroup>& groups,
                                                   const UnitTestTools& tools) {
  return UnitTestRun(file, test, tools).run(groups);
}

}  // namespace binnacle::watch::rules
