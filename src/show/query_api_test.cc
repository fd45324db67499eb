#include "show/query_api.h"

#include <gmock/gmock.h>

#include "show/test_api.h"

namespace binnacle::show {
namespace {

using net::Method;
using testing::HasSubstr;

class QueryApiTest : public ApiTest {};

TEST_F(QueryApiTest, InstantQuery) {
  EXPECT_EQ(get("/api/v1/query?query=up%7Bjob%3D%22a%22%7D&time=1700000014.5"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"up","job":"a"},"value":[1700000014.5,"1"]}]}})");
  // Without a time: now, which is 16 s in.
  EXPECT_EQ(data("/api/v1/query?query=x"),
            R"({"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"x","http.status":"1","zone":"\"q\""},)"
            R"("value":[1700000016,"1e-7"]}]})");
  EXPECT_EQ(data("/api/v1/query?query=nothing"), R"({"resultType":"vector","result":[]})");
}

TEST_F(QueryApiTest, ScalarsStringsAndRanges) {
  EXPECT_EQ(data("/api/v1/query?query=1%2B1&time=1700000000.25"),
            R"({"resultType":"scalar","result":[1700000000.25,"2"]})");
  EXPECT_EQ(data("/api/v1/query?query=%22a%5C%22b%22&time=1.001"),
            R"({"resultType":"string","result":[1.001,"a\"b"]})");
  EXPECT_EQ(data("/api/v1/query?query=up%7Bjob%3D%22a%22%7D%5B1m%5D"),
            R"({"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},)"
            R"("values":[[1700000000,"1"],[1700000015,"0.5"]]}]})");
}

TEST_F(QueryApiTest, RangeQueryByGetAndByForm) {
  const std::string want =
      R"({"status":"success","data":{"resultType":"matrix","result":[)"
      R"({"metric":{"__name__":"up","job":"a"},"values":[[1700000000,"1"],[1700000010,"1"],[1700000020,"0.5"]]},)"
      R"({"metric":{"__name__":"up","job":"b"},"values":[[1700000020,"+Inf"]]}]}})";
  EXPECT_EQ(get("/api/v1/query_range?query=up&start=1700000000&end=2023-11-14T22:13:40Z&step=10s"),
            want);
  const auto posted = call_route(router_, Method::kPost, "/api/v1/query_range",
                                 {{"Content-Type", "application/x-www-form-urlencoded"}},
                                 "query=up&start=1700000000&end=1700000020&step=10");
  EXPECT_EQ(posted.body, want);
  EXPECT_EQ(data("/api/v1/query_range?query=2&start=10&end=11&step=1"),
            R"({"resultType":"matrix","result":[{"metric":{},"values":[[10,"2"],[11,"2"]]}]})");
}

TEST_F(QueryApiTest, LimitCutsSeriesAndSaysSo) {
  EXPECT_EQ(get("/api/v1/query?query=up&limit=1&time=1700000016"),
            R"({"status":"success","data":{"resultType":"vector","result":[)"
            R"({"metric":{"__name__":"up","job":"a"},"value":[1700000016,"0.5"]}]},)"
            R"("warnings":["results truncated due to limit"]})");
  EXPECT_EQ(get("/api/v1/query?query=up&limit=2").find("warnings"), std::string::npos);
}

TEST_F(QueryApiTest, LookbackAndTimeout) {
  EXPECT_EQ(data("/api/v1/query?query=up&time=1700000020&lookback_delta=5s"),
            R"({"resultType":"vector","result":[]})");
  EXPECT_EQ(bad("/api/v1/query?query=up&lookback_delta=x"),
            R"(error parsing lookback delta duration: cannot parse \"x\" to a valid duration)");
  EXPECT_EQ(bad("/api/v1/query?query=up&timeout=x"),
            R"(invalid parameter \"timeout\": cannot parse \"x\" to a valid duration)");
  get("/api/v1/query?query=up&timeout=1s");
}

TEST_F(QueryApiTest, StatsWhenAsked) {
  EXPECT_THAT(data("/api/v1/query?query=up&stats=all"),
              testing::AllOf(HasSubstr(R"("stats":{"timings":{"evalTotalTime":)"),
                             HasSubstr(R"("samples":{"totalQueryableSamplesPerStep":)"
                                       R"([[1700000016,2]],"totalQueryableSamples":2,)"
                                       R"("samplesRead":)")));
  EXPECT_THAT(data("/api/v1/query_range?query=count_over_time(up[20s])&start=1700000000&"
                   "end=1700000015.5&step=15.5&stats=all"),
              HasSubstr(R"("totalQueryableSamplesPerStep":[[1700000000,1],[1700000015.5,3]],)"
                        R"("totalQueryableSamples":4,"samplesRead":3,)"));
  EXPECT_THAT(data("/api/v1/query?query=up&stats=true"),
              HasSubstr(R"("samples":{"totalQueryableSamples":)"));
  EXPECT_THAT(get("/api/v1/query?query=up&stats=yes"),
              HasSubstr(R"("warnings":["value \"yes\" for parameter \"stats\" is deprecated)"));
  EXPECT_EQ(get("/api/v1/query?query=up").find("stats"), std::string::npos);
}

TEST_F(QueryApiTest, BadInputInPrometheusWords) {
  EXPECT_THAT(bad("/api/v1/query?query=up%7B"),
              HasSubstr(R"(invalid parameter \"query\": 1:4: parse error: )"));
  EXPECT_THAT(bad("/api/v1/query"), HasSubstr(R"(invalid parameter \"query\": )"));
  EXPECT_EQ(bad("/api/v1/query?query=up&time=x"),
            R"(invalid parameter \"time\": invalid time value for 'time': )"
            R"(cannot parse \"x\" to a valid timestamp)");
  EXPECT_EQ(bad("/api/v1/query?query=up&limit=-1"),
            R"(invalid parameter \"limit\": limit must be non-negative)");
  EXPECT_EQ(bad("/api/v1/query?query=up&limit=x"),
            R"(invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax)");
  const std::string range = "/api/v1/query_range?query=up&";
  EXPECT_EQ(bad(range + "end=2&step=1"),
            R"(invalid parameter \"start\": cannot parse \"\" to a valid timestamp)");
  EXPECT_EQ(bad(range + "start=1&end=2"),
            R"(invalid parameter \"step\": cannot parse \"\" to a valid duration)");
  EXPECT_THAT(bad(range + "start=1&end=2&step=0"), HasSubstr("zero or negative query resolution"));
  EXPECT_THAT(bad(range + "start=1&end=2&step=-5"), HasSubstr("zero or negative query resolution"));
  EXPECT_EQ(bad(range + "start=2&end=1&step=1"),
            R"(invalid parameter \"end\": end timestamp must not be before start time)");
  EXPECT_THAT(bad(range + "start=0&end=101&step=1"),
              HasSubstr("exceeded maximum resolution of 100 points per timeseries"));
  get(range + "start=0&end=100&step=1");
  EXPECT_THAT(
      bad("/api/v1/query_range?query=up%5B1m%5D&start=0&end=1&step=1"),
      HasSubstr(R"(invalid parameter \"query\": invalid expression type \"range vector\")"));
  EXPECT_EQ(call_route(router_, Method::kDelete, "/api/v1/query").status, 405);
}

TEST_F(QueryApiTest, LimitsAreExecutionErrors) {
  limits_.max_series = 1;
  EXPECT_THAT(
      get("/api/v1/query?query=up", 422),
      testing::AllOf(HasSubstr(R"("errorType":"execution")"), HasSubstr("query.max_series")));
  EXPECT_THAT(registry_.write(TextFormat::kPrometheus004),
              HasSubstr("binnacle_query_limited_total{limit=\"max_series\"} 1"));
}

// Pieces put together are the same text as one.
TEST_F(QueryApiTest, LargeAnswersComeInPieces) {
  for (int i = 0; i < 3000; ++i) {
    put(model::Labels{{"__name__", "many"}, {"n", std::to_string(i)}, {"w", std::string(200, 'w')}},
        1000, i);
  }
  net::Request request;
  request.path = "/api/v1/query";
  request.query = "query=many";
  const auto match = router_.match(Method::kGet, request.path, request.path_params);
  const auto response = std::get<net::Handler>(match.route->handler)(request);
  EXPECT_TRUE(response.next_piece);
  EXPECT_LT(response.body.size(), 300'000u);
  const std::string whole = get("/api/v1/query?query=many");
  EXPECT_GT(whole.size(), 700'000u);
  EXPECT_TRUE(whole.ends_with("\"]}]}}"));
  size_t series = 0;
  for (size_t at = 0; (at = whole.find("\"metric\"", at)) != std::string::npos; ++at) ++series;
  EXPECT_EQ(series, 3000u);
}

TEST_F(QueryApiTest, FormatAndParse) {
  EXPECT_EQ(data("/api/v1/format_query?query=foo%2Fbar"), R"("foo / bar")");
  EXPECT_EQ(
      data("/api/v1/parse_query?query=foo%2Fbar"),
      R"({"bool":false,"lhs":{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"foo"}],)"
      R"("name":"foo","offset":0,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"},)"
      R"("matching":{"card":"one-to-one","fillValues":{"lhs":null,"rhs":null},"include":[],"labels":[],"on":false},)"
      R"("op":"/","rhs":{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"bar"}],)"
      R"("name":"bar","offset":0,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"},)"
      R"("type":"binaryExpr"})");
  const std::string sum = data(
      "/api/v1/parse_query?query=topk%20by%20(a)(2,rate(x%5B5m%5D%20offset%201m%20%40%20end()))");
  EXPECT_THAT(
      sum, HasSubstr(R"("grouping":["a"],"op":"topk","param":{"type":"numberLiteral","val":"2"})"));
  EXPECT_THAT(
      sum,
      HasSubstr(
          R"("func":{"argTypes":["matrix"],"name":"rate","returnType":"vector","variadic":0})"));
  EXPECT_THAT(sum, HasSubstr(R"("offset":60000,"range":300000)"));
  EXPECT_THAT(sum, HasSubstr(R"("startOrEnd":"end")"));
  EXPECT_THAT(bad("/api/v1/format_query?query=1%2B"), HasSubstr("parse error"));
}

TEST_F(QueryApiTest, ExemplarsAreNone) {
  EXPECT_EQ(data("/api/v1/query_exemplars?query=up&start=1&end=2"), "[]");
  EXPECT_EQ(bad("/api/v1/query_exemplars?query=up&start=2&end=1"),
            "end timestamp must not be before start timestamp");
}

}  // namespace
}  // namespace binnacle::show
