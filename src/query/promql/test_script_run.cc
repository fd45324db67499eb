#include "query/promql/test_script_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"
#include "query/promql/engine.h"
#include "query/promql/parser.h"
#include "query/promql/query_plan.h"
#include "query/promql/test_script.h"
#include "query/promql/test_script_compare.h"
#include "query/promql/test_script_tree.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kShownLines = 20;
constexpr int64_t kMinuteMs = 60'000;
// How the parser refuses </ and >/, which cut native histograms.
constexpr std::string_view kNoHistogramOperators =
    "operators of native histograms are not supported";

// `foo` of foo_bucket, foo_count and foo_sum; nothing of other names.
std::optional<model::Labels> histogram_of(const model::Labels& labels) {
  for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
    std::string_view name = labels.metric_name();
    if (!name.ends_with(suffix)) continue;
    if (suffix == "_bucket" && !parse_script_number(labels.get("le"))) return {};
    name.remove_suffix(suffix.size());
    model::LabelsBuilder builder(labels);
    return builder.set(model::kMetricName, name).remove("le").build();
  }
  return {};
}

// The point at `at_ms` of what a range query gave, as an instant query gives it.
QueryAnswer answer_at(QueryAnswer&& range, int64_t at_ms, ValueType type) {
  QueryAnswer answer;
  answer.type = type;
  answer.steps = {at_ms, at_ms, 0};
  const auto step = static_cast<size_t>((at_ms - range.steps.start_ms) / range.steps.step_ms);
  for (OwnedRow& row : range.rows) {
    if (is_absent(row.values[step])) continue;
    row.values = {row.values[step]};
    answer.rows.push_back(std::move(row));
  }
  if (type != ValueType::kScalar || answer.rows.empty()) return answer;
  answer.scalar = answer.rows.front().values.front();
  answer.rows.clear();
  return answer;
}

// Their values depend on the query's range, which is another in a range query.
bool names_query_bounds(std::string_view expr) {
  for (const std::string_view call : {"start()", "end()", "range()", "step()"}) {
    if (expr.find(call) != std::string_view::npos) return true;
  }
  return false;
}

std::vector<int64_t> other_times(int64_t at_ms) {
  if (at_ms == 0) return {-1000, 0, 1000};
  return {-10 * at_ms, 0, at_ms / 5, at_ms, 10 * at_ms};
}

class ScriptRun {
 public:
  ScriptRun(std::string_view file, const ScriptStoreMaker& make_store) : make_store_(make_store) {
    report_.file = file;
    limits_.experimental = true;
  }

  Result<ScriptReport> run(std::string_view text) {
    TRY_ASSIGN(const std::vector<ScriptCommand> commands, parse_test_script(report_.file, text));
    TRY_ASSIGN(store_, make_store_());
    for (const ScriptCommand& command : commands) {
      if (Status done = execute(command); !done)
        return fail(
            std::move(done).error().with_context(fmt::format("{}:{}", report_.file, command.line)));
    }
    return std::move(report_);
  }

 private:
  // How an eval went wrong.
  struct Wrong {
    std::string problem;
    std::string got;
  };
  using Outcome = std::optional<Wrong>;

  // Where histograms would lie if they were stored.
  struct HistogramTimes {
    model::Labels labels;
    std::vector<int64_t> times_ms;  // ascending
    bool within(const ReadPlan& read) const {
      const auto first = std::ranges::lower_bound(times_ms, read.min_ms);
      return first != times_ms.end() && *first <= read.max_ms &&
             model::matches_all(read.matchers, labels);
    }
  };

  Status execute(const ScriptCommand& command) {
    if (const auto* load = std::get_if<LoadCommand>(&command.what)) return fill(*load);
    if (const auto* eval = std::get_if<EvalCommand>(&command.what)) {
      check(command.line, *eval);
      return {};
    }
    histograms_.clear();
    store_.reset();  // before the next: they may want the same place
    TRY_ASSIGN(store_, make_store_());
    return {};
  }

  Status fill(const LoadCommand& load) {
    TRY(store_samples(load));
    if (load.with_custom_buckets) note_custom_buckets(load);
    return store_->settle();
  }

  // The batch is over on return: a store that settles may close.
  Status store_samples(const LoadCommand& load) {
    const std::unique_ptr<model::Appender> appender = store_->appendable().appender();
    for (const ScriptSeries& series : load.series) {
      TRY(append(*appender, series, load.step_ms));
      note_histograms(series, load.step_ms);
    }
    TRY_ASSIGN(const model::CommitReport report, appender->commit());
    if (!report.refused.empty()) return fail(report.refused.front().error);
    return {};
  }

  Status append(model::Appender& appender, const ScriptSeries& series, int64_t step_ms) {
    model::SeriesRef ref = model::kNoSeries;
    for (size_t i = 0; i < series.values.size(); ++i) {
      const ScriptValue& value = series.values[i];
      if (value.kind == ScriptValue::Kind::kHistogram) ++report_.histogram_samples;
      if (value.kind != ScriptValue::Kind::kFloat) continue;
      const int64_t at_ms = static_cast<int64_t>(i) * step_ms;
      TRY_ASSIGN(ref, appender.append(ref, series.labels, {at_ms, value.value}));
    }
    return {};
  }

  void note_histograms(const ScriptSeries& series, int64_t step_ms) {
    HistogramTimes found{series.labels, {}};
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (series.values[i].kind == ScriptValue::Kind::kHistogram)
        found.times_ms.push_back(static_cast<int64_t>(i) * step_ms);
    }
    if (!found.times_ms.empty()) histograms_.push_back(std::move(found));
  }

  void note_custom_buckets(const LoadCommand& load) {
    std::map<std::string, std::set<int64_t>> times_ms;  // by labels
    for (const ScriptSeries& series : load.series) {
      const std::optional<model::Labels> histogram = histogram_of(series.labels);
      if (!histogram) continue;
      for (size_t i = 0; i < series.values.size(); ++i) {
        if (series.values[i].kind == ScriptValue::Kind::kFloat)
          times_ms[histogram->packed()].insert(static_cast<int64_t>(i) * load.step_ms);
      }
    }
    for (const auto& [labels, times] : times_ms) {
      report_.histogram_samples += times.size();
      histograms_.push_back(
          {model::Labels(model::LabelsView(labels)), {times.begin(), times.end()}});
    }
  }

  bool needs_histograms(const EvalCommand& eval) const {
    if (std::any_of(eval.series.begin(), eval.series.end(),
                    [](const ScriptSeries& series) { return series.has_histogram(); }))
      return true;
    const Result<ExprPtr> expr = parse(eval.expr, {.experimental = true});
    if (!expr) return expr.error().message.ends_with(kNoHistogramOperators);
    const Result<QueryPlan> plan = QueryPlan::make(**expr, eval.steps, limits_);
    return plan && std::ranges::any_of(plan->reads(), [&](const ReadPlan& read) {
             return std::ranges::any_of(histograms_, [&](const HistogramTimes& histogram) {
               return histogram.within(read);
             });
           });
  }

  void check(size_t line, const EvalCommand& eval) {
    if (needs_histograms(eval)) {
      report_.skipped.push_back(line);
      return;
    }
    Outcome wrong = eval.instant ? check_instant(eval) : check_range(eval);
    if (!wrong) {
      ++report_.passed;
      return;
    }
    ++report_.failed;
    report_.failures.push_back({line, eval.expr, std::move(wrong->problem),
                                expected_text(eval, kShownLines), std::move(wrong->got)});
  }

  Result<QueryAnswer> ask(const Expr& expr, const EvalCommand& eval, const Steps& steps,
                          bool instant) {
    const Query query{eval.expr, steps, instant};
    return evaluate(store_->queryable(), expr, query, limits_, clock_);
  }

  static Outcome error_outcome(const EvalCommand& eval, const Error& error,
                               const std::string& way) {
    const std::string got = "error: " + error.message + "\n";
    if (!eval.must_fail) return Wrong{way + "it failed", got};
    if (auto problem = compare_failure(eval, error.message)) return Wrong{way + *problem, got};
    return {};
  }

  static Outcome compare(const EvalCommand& eval, const QueryAnswer& answer,
                         const std::string& way) {
    const std::string got = answer_text(answer, kShownLines);
    if (eval.must_fail) return Wrong{way + "it must fail", got};
    if (auto problem = compare_annotations(eval, answer)) return Wrong{way + *problem, got};
    if (auto problem = compare_answer(eval, answer)) return Wrong{way + *problem, got};
    return {};
  }

  Outcome check_range(const EvalCommand& eval) {
    const Result<ExprPtr> expr = parse(eval.expr, {.experimental = true});
    if (!expr) return error_outcome(eval, expr.error(), "");
    const Result<QueryAnswer> answer = ask(**expr, eval, eval.steps, false);
    return answer ? compare(eval, *answer, "") : error_outcome(eval, answer.error(), "");
  }

  Outcome check_instant(const EvalCommand& eval) {
    const Result<ExprPtr> expr = parse(eval.expr, {.experimental = true});
    if (!expr) return error_outcome(eval, expr.error(), "");
    const int64_t at_ms = eval.steps.start_ms;
    if (Outcome wrong = check_at(eval, **expr, at_ms, "")) return wrong;
    if (depends_on_time(**expr)) return {};
    put_at(**expr, at_ms);  // the tree is this run's own
    for (const int64_t time_ms : other_times(at_ms)) {
      const std::string way = fmt::format(
          "with @ {} on every selector, evaluated at {}: ", static_cast<double>(at_ms) / 1000,
          static_cast<double>(time_ms) / 1000);
      if (Outcome wrong = check_at(eval, **expr, time_ms, way)) return wrong;
    }
    return {};
  }

  // At an instant, and as the middle of a range query of three steps.
  Outcome check_at(const EvalCommand& eval, const Expr& expr, int64_t at_ms,
                   const std::string& way) {
    const Result<QueryAnswer> answer = ask(expr, eval, {at_ms, at_ms, 0}, true);
    if (!answer) return error_outcome(eval, answer.error(), way);
    if (Outcome wrong = compare(eval, *answer, way)) return wrong;
    if (eval.string || eval.range_vector || answer->type == ValueType::kString ||
        answer->type == ValueType::kMatrix || names_query_bounds(eval.expr))
      return {};
    const std::string range_way = way + "as a range query: ";
    const Steps steps{at_ms - kMinuteMs, at_ms + kMinuteMs, kMinuteMs};
    Result<QueryAnswer> range = ask(expr, eval, steps, false);
    if (!range) return Wrong{range_way + "it failed", "error: " + range.error().message + "\n"};
    if (eval.ordered) return {};
    const QueryAnswer middle = answer_at(std::move(*range), at_ms, answer->type);
    if (auto problem = compare_answer(eval, middle))
      return Wrong{range_way + *problem, answer_text(middle, kShownLines)};
    return {};
  }

  // Fixed after construction.
  const ScriptStoreMaker& make_store_;
  const SystemClock clock_;
  QueryLimits limits_;

  std::unique_ptr<ScriptStore> store_;
  std::vector<HistogramTimes> histograms_;
  ScriptReport report_;
};

}  // namespace

Result<ScriptReport> run_test_script(std::string_view file, std::string_view text,
                                     const ScriptStoreMaker& make_store) {
  return ScriptRun(file, make_store).run(text);
}

}  // namespace binnacle::query::promql
