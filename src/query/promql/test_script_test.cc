#include "query/promql/test_script.h"

#include <gtest/gtest.h>

namespace binnacle::query::promql {
namespace {

std::vector<ScriptCommand> read(std::string_view text) {
  auto commands = parse_test_script("f.test", text);
  EXPECT_TRUE(commands) << commands.error().message;
  return commands ? std::move(*commands) : std::vector<ScriptCommand>();
}

EvalCommand read_eval(std::string_view text) {
  const auto commands = read(text);
  if (commands.size() != 1 || !std::holds_alternative<EvalCommand>(commands.front().what)) {
    ADD_FAILURE() << "not one eval";
    return {};
  }
  return std::get<EvalCommand>(commands.front().what);
}

std::string error_of(std::string_view text) {
  const auto commands = parse_test_script("f.test", text);
  return commands ? "" : commands.error().message;
}

TEST(TestScript, ABlockEndsAtAnEmptyLineOrAComment) {
  const auto commands = read("\n# first\nload 1m\n  up 1\n\tdown 2\n# ends it\nCLEAR\n");
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].line, 3U);
  const auto& load = std::get<LoadCommand>(commands[0].what);
  EXPECT_EQ(load.step_ms, 60'000);
  EXPECT_FALSE(load.with_custom_buckets);
  EXPECT_EQ(load.series.size(), 2U);
  EXPECT_EQ(commands[1].line, 7U);
  EXPECT_TRUE(std::holds_alternative<ClearCommand>(commands[1].what));
}

TEST(TestScript, ALabelSetWrittenTwiceCountsAsTheLater) {
  const auto commands = read("load_with_nhcb 10s53ms\n up{a=\"1\"} 1\n up{a=\"1\"} 2 3");
  const auto& load = std::get<LoadCommand>(commands.at(0).what);
  EXPECT_EQ(load.step_ms, 10'053);
  EXPECT_TRUE(load.with_custom_buckets);
  ASSERT_EQ(load.series.size(), 1U);
  EXPECT_EQ(load.series[0].values.size(), 2U);
}

TEST(TestScript, ReadsInstantAndRangeEvals) {
  const EvalCommand instant = read_eval("eval instant at 5m sum by (a) (up)\n {a=\"1\"} 2");
  EXPECT_EQ(instant.expr, "sum by (a) (up)");
  EXPECT_TRUE(instant.instant);
  EXPECT_EQ(instant.steps, (Steps{300'000, 300'000, 0}));
  ASSERT_EQ(instant.series.size(), 1U);
  EXPECT_EQ(read_eval("eval instant up").steps, (Steps{0, 0, 0}));

  const EvalCommand range = read_eval("eval range from 1m to 3m step 30s up\n up 1 _ 3");
  EXPECT_FALSE(range.instant);
  EXPECT_EQ(range.steps, (Steps{60'000, 180'000, 30'000}));
  EXPECT_EQ(range.series.at(0).values.size(), 3U);
}

TEST(TestScript, ABareNumberIsTheScalarAndEndsTheBlock) {
  const auto commands = read("eval instant at 0 1\n  1\nclear");
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(std::get<EvalCommand>(commands[0].what).scalar, 1.0);
}

TEST(TestScript, ReadsExpectLines) {
  const EvalCommand eval = read_eval(
      "eval instant at 0 up\n expect warn msg: a  b\n expect warn regex: c+\n expect no_info\n"
      " expect ordered\n up 1");
  EXPECT_TRUE(eval.ordered);
  EXPECT_TRUE(eval.infos.none);
  ASSERT_EQ(eval.warnings.patterns.size(), 2U);
  EXPECT_TRUE(eval.warnings.patterns[0].matches("a  b"));
  EXPECT_FALSE(eval.warnings.patterns[0].matches("a  b."));
  EXPECT_TRUE(eval.warnings.patterns[1].matches("xccx"));
  EXPECT_FALSE(eval.warnings.patterns[1].matches("x"));
}

TEST(TestScript, ReadsFailuresInBothForms) {
  EXPECT_TRUE(read_eval("eval instant at 0 up\n expect fail").must_fail);
  const EvalCommand old = read_eval("eval_fail instant at 0 up\n expected_fail_message no such");
  EXPECT_TRUE(old.must_fail);
  ASSERT_EQ(old.failure.size(), 1U);
  EXPECT_TRUE(old.failure[0].matches("no such"));
  EXPECT_TRUE(read_eval("eval_fail instant at 0 up\n expected_fail_regexp b+")
                  .failure.at(0)
                  .matches("abc"));
  EXPECT_TRUE(read_eval("eval_warn instant at 0 up").warnings.some);
  EXPECT_TRUE(read_eval("eval_info range from 0 to 1s step 1s up").infos.some);
  EXPECT_TRUE(read_eval("eval_ordered instant at 0 up").ordered);
}

TEST(TestScript, ReadsStringsAndRangeVectors) {
  EXPECT_EQ(read_eval("eval instant at 0 \"a\"\n expect string \"a\\n\"").string, "a\n");
  EXPECT_EQ(read_eval("eval instant at 0 \"a\"\n expect string `a\\n`").string, "a\\n");
  const EvalCommand eval = read_eval(
      "eval instant at 9m up[1m]\n expect range vector from 10s to 1m step 10s\n up 1 2 _ 4");
  EXPECT_EQ(eval.range_vector, (Steps{10'000, 60'000, 10'000}));
  EXPECT_EQ(eval.steps, (Steps{60'000, 60'000, 0}));
}

TEST(TestScript, ErrorsNameFileAndLine) {
  EXPECT_EQ(error_of("\nlaod 5m"), "f.test:2: unknown command laod (clear, load, eval)");
  EXPECT_EQ(error_of("load 5m\n up 1\n up what"),
            "f.test:3: unexpected \"what\" where a value must stand");
  EXPECT_TRUE(error_of("load soon").starts_with("f.test:1: "));
  EXPECT_TRUE(error_of("load_fast 5m").starts_with("f.test:1: unknown command"));
  EXPECT_TRUE(error_of("eval at 5m up").starts_with("f.test:1: eval: write"));
  EXPECT_EQ(error_of("eval instant at 5m"), "f.test:1: eval: the expression is missing");
  EXPECT_EQ(error_of("eval range from 5m to 1m step 1m up"),
            "f.test:1: the end lies before the start");
  EXPECT_EQ(error_of("eval range from 0 to 1m step 0 up"), "f.test:1: the step must not be 0");
  EXPECT_TRUE(error_of("eval range to 1m step 0 up").starts_with("f.test:1: expected from"));
  EXPECT_TRUE(error_of("eval instant at 0 up\n up 1 2").starts_with("f.test:2: an instant eval"));
  EXPECT_TRUE(error_of("eval instant at 0 up\n expect no_warn\n expect warn")
                  .starts_with("f.test:3: expect: annotations"));
  EXPECT_TRUE(error_of("eval instant at 0 up\n expect fail\n expect fail").starts_with("f.test:3"));
  EXPECT_TRUE(error_of("eval instant at 0 up\n expect luck").starts_with("f.test:2: expect luck"));
  EXPECT_TRUE(
      error_of("eval instant at 0 up\n expect warn regex: (").starts_with("f.test:2: regex"));
  EXPECT_TRUE(error_of("eval instant at 0 up\n expect warn maybe").starts_with("f.test:2: expect"));
  EXPECT_TRUE(
      error_of("eval instant at 0 up\n expect string a").starts_with("f.test:2: expect str"));
}

TEST(TestScript, OnlyExpectAsAWordIsAnExpectLine) {
  EXPECT_EQ(read_eval("eval instant at 0 expect\n expect{} 1").series.size(), 1U);
}

TEST(TestScript, AWholeScriptHoldsSoManyValues) {
  std::string text = "load 1m\n";
  for (int i = 0; i < 6; ++i) text += "up{i=\"" + std::to_string(i) + "\"} 1x999999\n";
  EXPECT_TRUE(error_of(text).starts_with("f.test:7: too many values"));
}

}  // namespace
}  // namespace binnacle::query::promql
