#include "query/promql/test_script_compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/sample.h"

namespace binnacle::query::promql {
namespace {

EvalCommand read(std::string_view text) {
  auto commands = parse_test_script("f.test", text);
  EXPECT_TRUE(commands) << commands.error().message;
  return std::get<EvalCommand>(commands->at(0).what);
}

QueryAnswer vector_of(std::vector<std::pair<std::string_view, double>> values) {
  QueryAnswer answer;
  for (const auto& [name, value] : values)
    answer.rows.push_back({model::Labels{{"__name__", name}}, false, {value}});
  return answer;
}

std::string problem(const EvalCommand& eval, const QueryAnswer& answer) {
  return compare_answer(eval, answer).value_or("");
}

TEST(AlmostEqual, TakesAMillionthOfTheSum) {
  EXPECT_TRUE(almost_equal(1, 1 + 1e-6));
  EXPECT_FALSE(almost_equal(1, 1 + 3e-6));
  EXPECT_TRUE(almost_equal(1e300, 1e300 * (1 + 1e-7)));
  EXPECT_FALSE(almost_equal(0, 1e-300));
  EXPECT_TRUE(almost_equal(0, -0.0));
  EXPECT_TRUE(almost_equal(HUGE_VAL, HUGE_VAL));
  EXPECT_FALSE(almost_equal(HUGE_VAL, -HUGE_VAL));
  EXPECT_FALSE(almost_equal(HUGE_VAL, std::numeric_limits<double>::max()));
}

TEST(AlmostEqual, AStaleMarkerIsNoOtherNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(almost_equal(nan, -nan));
  EXPECT_TRUE(almost_equal(model::stale_nan(), model::stale_nan()));
  EXPECT_FALSE(almost_equal(model::stale_nan(), nan));
  EXPECT_FALSE(almost_equal(nan, 1));
}

TEST(CompareAnswer, WantsExactlyTheSeriesOfAVector) {
  const EvalCommand eval = read("eval instant at 0 x\n a 1\n b 2");
  EXPECT_EQ(problem(eval, vector_of({{"b", 2}, {"a", 1}})), "");
  EXPECT_EQ(problem(eval, vector_of({{"a", 1}})), "the series b is missing");
  EXPECT_EQ(problem(eval, vector_of({{"a", 1}, {"b", 2}, {"c", 3}})), "unexpected series c");
  EXPECT_EQ(problem(eval, vector_of({{"a", 1}, {"b", 3}})), "b: expected point 0 to be 2, got 3");
  EXPECT_EQ(problem(eval, vector_of({{"a", 1}, {"a", 1}, {"b", 2}})),
            "the series a is there twice");
}

TEST(CompareAnswer, LooksAtTheOrderWhereItIsAskedFor) {
  const EvalCommand eval = read("eval instant at 0 x\n expect ordered\n b 1\n a 2");
  EXPECT_EQ(problem(eval, vector_of({{"b", 1}, {"a", 2}})), "");
  EXPECT_EQ(problem(eval, vector_of({{"a", 2}, {"b", 1}})),
            "a: expected at place 2, got it at place 1");
}

TEST(CompareAnswer, TellsTheKindsApart) {
  QueryAnswer scalar;
  scalar.type = ValueType::kScalar;
  scalar.scalar = 2;
  EXPECT_EQ(problem(read("eval instant at 0 x\n 2"), scalar), "");
  EXPECT_EQ(problem(read("eval instant at 0 x\n 3"), scalar), "another scalar");
  EXPECT_NE(problem(read("eval instant at 0 x\n {} 2"), scalar), "");
  EXPECT_NE(problem(read("eval instant at 0 x\n 2"), vector_of({})), "");
  QueryAnswer text;
  text.type = ValueType::kString;
  text.text = "a";
  EXPECT_EQ(problem(read("eval instant at 0 x\n expect string \"a\""), text), "");
  EXPECT_EQ(problem(read("eval instant at 0 x\n expect string \"b\""), text), "another string");
  EXPECT_NE(problem(read("eval instant at 0 x\n expect string \"a\""), scalar), "");
}

QueryAnswer matrix(std::vector<OwnedRow> rows) {
  QueryAnswer answer;
  answer.type = ValueType::kMatrix;
  answer.steps = {0, 2000, 1000};
  answer.rows = std::move(rows);
  return answer;
}

TEST(CompareAnswer, AGapInAMatrixIsNoPoint) {
  const EvalCommand eval = read("eval range from 0 to 2s step 1s x\n a 1 _ 3\n b 1");
  const double none = absent_value();
  const OwnedRow a{model::Labels{{"__name__", "a"}}, false, {1, none, 3}};
  const OwnedRow b{model::Labels{{"__name__", "b"}}, false, {1, none, none}};
  EXPECT_EQ(problem(eval, matrix({a, b})), "");
  EXPECT_NE(problem(eval, matrix({b, a})), "");
  OwnedRow shifted = a;
  shifted.values = {1, 3, none};
  EXPECT_EQ(problem(eval, matrix({shifted, b})),
            "a: expected point 1 at 2000 ms, got it at 1000 ms");
  OwnedRow full = a;
  full.values = {1, 2, 3};
  EXPECT_EQ(problem(eval, matrix({full, b})), "a: expected 2 points, got 3");
}

TEST(CompareAnswer, ComparesTheSamplesOfARangeVector) {
  const EvalCommand eval =
      read("eval instant at 2s x\n expect range vector from 0 to 2s step 1s\n a 1 _ 3");
  QueryAnswer answer;
  answer.type = ValueType::kMatrix;
  answer.samples.push_back({model::Labels{{"__name__", "a"}}, {0, 2000}, {1, 3}});
  EXPECT_EQ(problem(eval, answer), "");
  answer.samples[0].times_ms[1] = 1000;
  EXPECT_NE(problem(eval, answer), "");
}

std::string annotated(std::string_view lines, std::vector<std::string> warnings) {
  QueryAnswer answer;
  answer.warnings = std::move(warnings);
  return compare_annotations(read("eval instant at 0 x\n" + std::string(lines)), answer)
      .value_or("");
}

TEST(CompareAnnotations, NothingIsAskedWhereNothingIsWritten) {
  EXPECT_EQ(annotated("", {"w"}), "");
  EXPECT_EQ(annotated("expect no_info", {"w"}), "");
  EXPECT_EQ(annotated("expect no_warn", {"w"}), "expected no warning, got: w");
}

TEST(CompareAnnotations, EachLineFitsOneAndEachOneALine) {
  EXPECT_EQ(annotated("expect warn", {"a", "b"}), "");
  EXPECT_EQ(annotated("expect warn", {}), "expected warning annotations, got none");
  EXPECT_EQ(annotated("expect warn msg: a\nexpect warn msg: b", {"b", "a"}), "");
  EXPECT_EQ(annotated("expect warn msg: a", {"a", "b"}), "unexpected warning: b");
  EXPECT_EQ(annotated("expect warn msg: a\nexpect warn msg: b", {"a"}),
            "expected warning \"b\", got: a");
  EXPECT_EQ(annotated("expect info", {"a"}), "expected info annotations, got none");
}

TEST(CompareFailure, TheTextMustFit) {
  const EvalCommand eval = read("eval instant at 0 x\n expect fail regex: a.c");
  EXPECT_FALSE(compare_failure(eval, "xabcx"));
  EXPECT_TRUE(compare_failure(eval, "xacx"));
  EXPECT_FALSE(compare_failure(read("eval instant at 0 x\n expect fail"), "whatever"));
}

TEST(AnswerText, IsCutWhereItIsLong) {
  EXPECT_EQ(answer_text(vector_of({{"a", 1}, {"b", 2}, {"c", 3}}), 2),
            "a 1\nb 2\n... and 1 more\n");
  EXPECT_EQ(answer_text(vector_of({}), 2), "no series\n");
}

}  // namespace
}  // namespace binnacle::query::promql
