#include "app/query_print.h"

#include <gtest/gtest.h>

#include <limits>

namespace binnacle::app {
namespace {

constexpr int64_t kAtMs = 1'700'000'000'000;  // 2023-11-14T22:13:20Z

AskedQuery instant() { return {.expr = "x", .start_ms = kAtMs, .end_ms = kAtMs}; }
AskedQuery range() {
  return {.expr = "x",
          .instant = false,
          .start_ms = kAtMs,
          .end_ms = kAtMs + 45'000,
          .step_ms = 15'000};
}

AnsweredQuery vector() {
  AnsweredQuery answer{.type = "vector"};
  answer.series.push_back({model::Labels{{"__name__", "up"}, {"job", "a,b"}}, {kAtMs}, {1.5}});
  answer.series.push_back({model::Labels{{"__name__", "x"}}, {kAtMs}, {1e-7}});
  return answer;
}

AnsweredQuery matrix() {
  AnsweredQuery answer{.type = "matrix"};
  answer.series.push_back(
      {model::Labels{{"a", "1"}}, {kAtMs, kAtMs + 15'000, kAtMs + 45'000}, {0, 7, 3.5}});
  return answer;
}

TEST(QueryPrint, ATableHasALineForEachPoint) {
  EXPECT_EQ(print_answer(vector(), instant(), QueryFormat::kTable, 60),
            "up{job=\"a,b\"}  1.5\n"
            "x              1e-07\n");
  EXPECT_EQ(print_answer(matrix(), range(), QueryFormat::kTable, 60),
            "{a=\"1\"}  2023-11-14T22:13:20.000Z  0\n"
            "{a=\"1\"}  2023-11-14T22:13:35.000Z  7\n"
            "{a=\"1\"}  2023-11-14T22:14:05.000Z  3.5\n");
  EXPECT_EQ(print_answer({.type = "vector"}, instant(), QueryFormat::kTable, 60), "no series\n");
}

TEST(QueryPrint, CsvQuotesWhatMustBeQuoted) {
  EXPECT_EQ(print_answer(vector(), instant(), QueryFormat::kCsv, 60),
            "series,time,value\n"
            "\"up{job=\"\"a,b\"\"}\",2023-11-14T22:13:20.000Z,1.5\n"
            "x,2023-11-14T22:13:20.000Z,1e-07\n");
}

TEST(QueryPrint, JsonHasTheShapeOfTheApi) {
  EXPECT_EQ(print_answer(vector(), instant(), QueryFormat::kJson, 60),
            R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a,b"},)"
            R"("value":[1700000000,"1.5"]},{"metric":{"__name__":"x"},)"
            R"("value":[1700000000,"1e-7"]}]})"
            "\n");
  EXPECT_EQ(print_answer(matrix(), range(), QueryFormat::kJson, 60),
            R"({"resultType":"matrix","result":[{"metric":{"a":"1"},"values":)"
            R"([[1700000000,"0"],[1700000015,"7"],[1700000045,"3.5"]]}]})"
            "\n");
}

TEST(QueryPrint, AChartHasALineOfBlocksForEachSeries) {
  EXPECT_EQ(print_answer(matrix(), range(), QueryFormat::kChart, 60),
            "2023-11-14T22:13:20.000Z to 2023-11-14T22:14:05.000Z, step 15 s\n"
            "{a=\"1\"}  ▁█ ▅  0 to 7, last 3.5\n");
  // Half the columns: the last value of each stands.
  EXPECT_EQ(print_answer(matrix(), range(), QueryFormat::kChart, 2),
            "2023-11-14T22:13:20.000Z to 2023-11-14T22:14:05.000Z, step 15 s\n"
            "{a=\"1\"}  █▅  0 to 7, last 3.5\n");
}

TEST(QueryPrint, AChartTakesValuesThatHaveNoHeight) {
  AnsweredQuery answer = matrix();
  answer.series[0].values = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(), 2};
  EXPECT_EQ(print_answer(answer, range(), QueryFormat::kChart, 60),
            "2023-11-14T22:13:20.000Z to 2023-11-14T22:14:05.000Z, step 15 s\n"
            "{a=\"1\"}   ▅ ▅  2 to 2, last 2\n");
  answer.series[0].values.assign(3, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(print_answer(answer, range(), QueryFormat::kChart, 60),
            "2023-11-14T22:13:20.000Z to 2023-11-14T22:14:05.000Z, step 15 s\n"
            "{a=\"1\"}      \n");
}

TEST(QueryPrint, ScalarsAndStringsStandAlone) {
  AnsweredQuery scalar{.type = "scalar"};
  scalar.series.push_back({{}, {kAtMs}, {2}});
  EXPECT_EQ(print_answer(scalar, instant(), QueryFormat::kTable, 60), "2\n");
  EXPECT_EQ(print_answer(scalar, instant(), QueryFormat::kJson, 60),
            "{\"resultType\":\"scalar\",\"result\":[1700000000,\"2\"]}\n");
  const AnsweredQuery text{.type = "string", .series = {}, .text = "a \"b\""};
  EXPECT_EQ(print_answer(text, instant(), QueryFormat::kTable, 60), "a \"b\"\n");
  EXPECT_EQ(print_answer(text, instant(), QueryFormat::kCsv, 60),
            "series,time,value\n,2023-11-14T22:13:20.000Z,\"a \"\"b\"\"\"\n");
}

}  // namespace
}  // namespace binnacle::app
