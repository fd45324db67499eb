#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/clock.h"
#include "base/float_text.h"
#include "query/promql/engine.h"
#include "query/promql/parser.h"
#include "query/promql/testing/naive_evaluator.h"
#include "query/promql/testing/random_queries.h"
#include "store/metrics/linear_store.h"

namespace binnacle::query::promql {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the oracle's

uint64_t number_of(const char* variable, uint64_t if_absent) {
  const char* text = std::getenv(variable);
  return text == nullptr ? if_absent : std::strtoull(text, nullptr, 10);
}

class Compared {
 public:
  explicit Compared(std::vector<NaiveSeries> data) : data_(std::move(data)) {
    const auto appender = store_.appender();
    for (const NaiveSeries& series : data_) {
      model::LabelsBuilder labels;
      for (const auto& [name, value] : series.labels) labels.set(name, value);
      for (const auto& [at_ms, value] : series.samples)
        EXPECT_TRUE(appender->append(model::kNoSeries, labels.build(), {at_ms, value}));
    }
    EXPECT_TRUE(appender->commit());
  }

  // What differs; empty when nothing does.
  std::string difference(const std::string& text, const Steps& steps, bool instant) {
    const auto expr = parse(text, {.experimental = true});
    if (!expr) return "it does not parse: " + expr.error().message;
    QueryLimits limits;
    limits.experimental = true;
    const auto got = evaluate(store_, **expr, {text, steps, instant}, limits, clock_);
    const auto want =
        NaiveEvaluator(data_).answer(**expr, {steps.start_ms, steps.end_ms, steps.step_ms});
    if (!want && want.error().code == Code::kUnimplemented) return want.error().message;
    if (!got && !want) {
      ++failed_;
      return "";
    }
    // A subquery is evaluated between the windows, too, where there are gaps, and may fail there.
    const bool gaps = !instant && text.find(':') != std::string::npos;
    if (!got && gaps && got.error().code == Code::kOutOfRange) {
      ++failed_;
      return "";
    }
    if (!got) return "the engine alone fails: " + got.error().message;
    if (!want) return "the oracle alone fails: " + want.error().message;
    answered_ += !want->empty();
    return compare(*want, answer_of(*got));
  }
  uint64_t answered() const { return answered_; }  // with at least one series
  uint64_t failed() const { return failed_; }

 private:
  static NaiveAnswer answer_of(const QueryAnswer& answer) {
    NaiveAnswer out;
    if (answer.type == ValueType::kScalar) out[{}][answer.steps.at(0)] = answer.scalar;
    for (const OwnedRow& row : answer.rows) {
      LabelMap labels;
      for (const model::Label& label : row.labels)
        labels.emplace(std::string(label.name), std::string(label.value));
      for (size_t i = 0; i < row.values.size(); ++i) {
        if (!is_absent(row.values[i])) out[labels][answer.steps.at(i)] = row.values[i];
      }
    }
    return out;
  }

  static bool near(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::abs(a - b) <= 1e-8 * (1 + std::abs(a) + std::abs(b));
  }

  static std::string show(const LabelMap& labels) {
    std::string out;
    for (const auto& [name, value] : labels) out += name + "=" + value + " ";
    return "{" + out + "}";
  }

  static std::string compare(const NaiveAnswer& want, const NaiveAnswer& got) {
    for (const auto& [labels, points] : want) {
      const auto series = got.find(labels);
      if (series == got.end()) return "missing: " + show(labels);
      for (const auto& [at_ms, value] : points) {
        const auto point = series->second.find(at_ms);
        if (point == series->second.end())
          return fmt::format("{} has no point at {}, wanted {}", show(labels), at_ms, value);
        if (!near(value, point->second))
          return fmt::format("{} at {}: wanted {}, got {}", show(labels), at_ms, value,
                             point->second);
      }
      if (series->second.size() != points.size()) return "points too many: " + show(labels);
    }
    for (const auto& [labels, points] : got) {
      if (!want.contains(labels)) return "one too many: " + show(labels);
    }
    return "";
  }

  uint64_t answered_ = 0;
  uint64_t failed_ = 0;
  const std::vector<NaiveSeries> data_;
  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{
      clock_, {.late_limit_ms = int64_t{1} << 60, .max_ahead_ms = int64_t{1} << 60}};
};

// BINNACLE_ORACLE_QUERIES: how many; BINNACLE_ORACLE_SEED: where to begin.
TEST(Oracle, TheEngineAnswersAsTheNaiveEvaluator) {
  constexpr uint64_t kOfOneStore = 50;
  const uint64_t queries = number_of("BINNACLE_ORACLE_QUERIES", 3000);
  const uint64_t first = number_of("BINNACLE_ORACLE_SEED", 1);
  size_t wrong = 0;
  uint64_t asked = 0;
  uint64_t answered = 0;
  uint64_t failed = 0;
  for (uint64_t seed = first; seed < first + (queries + kOfOneStore - 1) / kOfOneStore; ++seed) {
    SeededRandom random(seed);
    Compared compared(random_data(random));
    RandomQueries expressions(random);
    for (uint64_t i = 0; i < kOfOneStore; ++i) {
      const std::string text = expressions.next();
      const bool instant = random.below(3) == 0;
      Steps steps;
      steps.start_ms = static_cast<int64_t>(random.below(3600)) * 1000;
      steps.end_ms = steps.start_ms;
      if (!instant) {
        steps.step_ms = 1000 * (1 + static_cast<int64_t>(random.below(200)));
        steps.end_ms += steps.step_ms * static_cast<int64_t>(random.below(12));
      }
      const std::string difference = compared.difference(text, steps, instant);
      if (difference.empty()) continue;
      ADD_FAILURE() << "seed " << seed << ", query " << i << ": " << text << "\n  from "
                    << steps.start_ms << " to " << steps.end_ms << " step " << steps.step_ms
                    << (instant ? " (instant)" : "") << "\n  " << difference;
      if (++wrong == 10) return;
    }
    asked += kOfOneStore;
    answered += compared.answered();
    failed += compared.failed();
  }
  // A comparison of empty answers or of failures alone would say little.
  EXPECT_GT(answered, asked / 2);
  EXPECT_LT(failed, asked / 3);
  RecordProperty("asked", static_cast<int>(asked));
  RecordProperty("answered", static_cast<int>(answered));
  RecordProperty("failed", static_cast<int>(failed));
}

// The oracle is held to a few answers worked out by hand, so that it can fail too.
TEST(Oracle, TheNaiveEvaluatorKnowsWhatIsKnown) {
  const std::vector<NaiveSeries> data{
      {{{"__name__", "c"}, {"a", "1"}}, {{60'000, 6}, {120'000, 12}, {180'000, 18}}, false},
      {{{"__name__", "c"}, {"a", "2"}}, {{60'000, 1}, {120'000, 2}, {180'000, 0}}, false},
      {{{"__name__", "r"}, {"job", "j"}}, {{170'000, 5}, {200'000, 8}}, false},
      {{{"__name__", "target_info"}, {"job", "j"}, {"v", "1"}}, {{60'000, 1}}, false},
      {{{"__name__", "target_info"}, {"job", "j"}, {"v", "2"}}, {{120'000, 1}}, false}};
  const auto ask = [&](const char* text) {
    const auto expr = parse(text, {.experimental = true});
    if (!expr) return expr.error().message;
    const auto answer = NaiveEvaluator(data).answer(**expr, {180'000, 180'000, 0});
    if (!answer) return answer.error().message;
    std::string out;
    for (const auto& [labels, points] : *answer) {
      for (const auto& [name, value] : labels) out += name + "=" + value + " ";
      append_float_text(out, points.begin()->second);
      out += ";";
    }
    return out;
  };
  EXPECT_EQ(ask("c"), "__name__=c a=1 18;__name__=c a=2 0;");
  EXPECT_EQ(ask("sum(c)"), "18;");
  EXPECT_EQ(ask("increase(c[3m])"), "a=1 18;a=2 1.5;");
  EXPECT_EQ(ask("max_over_time(c[2m])"), "a=1 18;a=2 2;");
  EXPECT_EQ(ask("c > 1"), "__name__=c a=1 18;");
  EXPECT_EQ(ask("c * on (a) c"), "a=1 324;a=2 0;");
  EXPECT_EQ(ask("c + on () c"), "found duplicate series for the match group");
  EXPECT_EQ(ask("c offset 1m"), "__name__=c a=1 12;__name__=c a=2 2;");
  EXPECT_EQ(ask("sum_over_time(c[2m:1m])"), "a=1 30;a=2 2;");
  EXPECT_EQ(ask("absent(d{x=\"1\"})"), "x=1 1;");
  EXPECT_EQ(ask("increase(c[90s] anchored)"), "a=1 12;a=2 1;");
  EXPECT_EQ(ask("increase(c[90s] smoothed)"), "a=1 9;a=2 0.5;");
  EXPECT_EQ(ask("delta(r[10s] smoothed)"), "job=j 1;");
  EXPECT_EQ(ask("r smoothed"), "__name__=r job=j 6;");
  EXPECT_EQ(ask("c offset (1m * 2 - 60)"), "__name__=c a=1 12;__name__=c a=2 2;");
  EXPECT_EQ(ask("count_over_time(c[max_of(step(), 2m)])"), "a=1 2;a=2 2;");
  EXPECT_EQ(ask("info(r)"), "__name__=r job=j v=2 5;");
  EXPECT_EQ(ask("info(r, {v=\"1\"})"), "__name__=r job=j v=1 5;");
  EXPECT_EQ(ask("info(r, {w=\"1\"})"), "");
  EXPECT_EQ(ask("c{a=\"1\"} + on (a) fill_right (1) r"), "a=1 19;");
  EXPECT_EQ(ask("r - on (job) group_right () fill_right (1) c{a=\"1\"}"), "a=1 -17;");
}

}  // namespace
}  // namespace binnacle::query::promql
