#include "query/promql/test_script_run.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "store/metrics/linear_store.h"

namespace binnacle::query::promql {
namespace {

class LinearScriptStore final : public ScriptStore {
 public:
  explicit LinearScriptStore(size_t& settled) : settled_(settled) {}
  model::Appendable& appendable() override { return store_; }
  model::Queryable& queryable() override { return store_; }
  Status settle() override {
    ++settled_;
    return {};
  }

 private:
  size_t& settled_;
  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{
      clock_, {.late_limit_ms = int64_t{1} << 60, .max_ahead_ms = int64_t{1} << 60}};
};

class TestScriptRun : public testing::Test {
 protected:
  ScriptReport run(std::string_view text) {
    const ScriptStoreMaker make = [this]() -> Result<std::unique_ptr<ScriptStore>> {
      ++made_;
      return std::make_unique<LinearScriptStore>(settled_);
    };
    auto report = run_test_script("f.test", text, make);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : ScriptReport();
  }
  std::string counts(std::string_view text) {
    const ScriptReport report = run(text);
    return std::to_string(report.passed) + " " + std::to_string(report.failed) + " " +
           std::to_string(report.skipped.size());
  }

  size_t made_ = 0;
  size_t settled_ = 0;
};

constexpr std::string_view kLoad = "load 1m\n up{a=\"1\"} 1+1x9\n up{a=\"2\"} 5\n\n";

TEST_F(TestScriptRun, CountsWhatPassesAndWhatFails) {
  EXPECT_EQ(counts(std::string(kLoad) + "eval instant at 2m up{a=\"1\"}\n up{a=\"1\"} 3\n\n"
                                        "eval instant at 2m up{a=\"1\"}\n up{a=\"1\"} 4\n\n"
                                        "eval range from 0 to 2m step 1m up{a=\"1\"}\n"
                                        " up{a=\"1\"} 1 2 3\n"),
            "2 1 0");
  EXPECT_EQ(settled_, 1U);
}

TEST_F(TestScriptRun, AFailureTellsLineExpressionAndBothSides) {
  const ScriptReport report =
      run(std::string(kLoad) + "eval instant at 2m up{a=\"1\"}\n up{a=\"1\"} 4\n");
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].line, 5U);
  EXPECT_EQ(report.failures[0].expr, "up{a=\"1\"}");
  EXPECT_EQ(report.failures[0].problem, "up{a=\"1\"}: expected point 0 to be 4, got 3");
  EXPECT_EQ(report.failures[0].expected, "up{a=\"1\"} 4\n");
  EXPECT_EQ(report.failures[0].got, "up{a=\"1\"} 3\n");
}

TEST_F(TestScriptRun, ClearEmptiesTheStore) {
  EXPECT_EQ(counts(std::string(kLoad) + "clear\n\neval instant at 2m up\n"), "1 0 0");
  EXPECT_EQ(made_, 2U);
}

TEST_F(TestScriptRun, AnErrorIsAFailureUnlessItIsExpected) {
  EXPECT_EQ(counts("eval instant at 0 up +\n"), "0 1 0");
  EXPECT_EQ(counts("eval instant at 0 up +\n expect fail\n"), "1 0 0");
  EXPECT_EQ(counts("eval instant at 0 up +\n expect fail msg: nothing of the kind\n"), "0 1 0");
  EXPECT_EQ(counts("eval instant at 0 1\n expect fail\n"), "0 1 0");
}

TEST_F(TestScriptRun, WhatNeedsHistogramsIsSkipped) {
  const std::string load = "load 1m\n h{a=\"1\"} {{count:1}} 2\n up 1\n\n";
  EXPECT_EQ(counts(load + "eval instant at 4m h{a=\"1\"}\n"), "0 0 1");
  EXPECT_EQ(counts(load + "eval instant at 4m sum({a=~\"1|2\"})\n"), "0 0 1");
  EXPECT_EQ(counts(load + "eval instant at 9m h{a=\"1\"}\n"), "1 0 0");
  EXPECT_EQ(counts(load + "eval instant at 9m present_over_time(h[10m])\n"), "0 0 1");
  EXPECT_EQ(counts(load + "eval instant at 9m h{a=\"2\"}\n"), "1 0 0");
  EXPECT_EQ(counts(load + "eval instant at 0 up\n up {{}}\n"), "0 0 1");
  EXPECT_EQ(counts(load + "clear\n\neval instant at 9m h{a=\"1\"}\n"), "1 0 0");
  EXPECT_EQ(counts("eval instant at 0 x </ 2\n"), "0 0 1");
  EXPECT_EQ(run(load).histogram_samples, 1U);
}

TEST_F(TestScriptRun, ClassicHistogramsLoadedWithCustomBucketsHoldANativeOne) {
  const std::string lines = " h_bucket{le=\"1\", a=\"1\"} 1\n h_bucket{le=\"+Inf\", a=\"1\"} 2\n\n";
  const std::string eval = "eval instant at 4m h\n";
  EXPECT_EQ(counts("load_with_nhcb 1m\n" + lines + eval), "0 0 1");
  EXPECT_EQ(counts("load 1m\n" + lines + eval), "1 0 0");
  EXPECT_EQ(run("load_with_nhcb 1m\n" + lines).histogram_samples, 1U);
}

TEST_F(TestScriptRun, AnInstantEvalIsTriedAsARangeQueryAndWithAt) {
  // Only as it is written is there a value at each of these times.
  EXPECT_EQ(counts(std::string(kLoad) + "eval instant at 2m up{a=\"1\"} offset 1m\n"
                                        " up{a=\"1\"} 2\n"),
            "1 0 0");
  EXPECT_EQ(counts(std::string(kLoad) + "eval instant at 2m time()\n 120\n"), "1 0 0");
  EXPECT_EQ(counts(std::string(kLoad) + "eval instant at 2m end() - start()\n 0\n"), "1 0 0");
}

TEST_F(TestScriptRun, AScriptThatIsNoneIsAnError) {
  const ScriptStoreMaker make = [this]() -> Result<std::unique_ptr<ScriptStore>> {
    return std::make_unique<LinearScriptStore>(settled_);
  };
  const auto report = run_test_script("f.test", "nonsense", make);
  ASSERT_FALSE(report);
  EXPECT_TRUE(report.error().message.starts_with("f.test:1: ")) << report.error().message;
}

}  // namespace
}  // namespace binnacle::query::promql
