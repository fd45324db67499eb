#include "query/promql/query_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::query::promql {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(QueryLog, SlowQueriesAreLogged) {
  Registry registry;
  QueryLog log(registry);
  log.set_slow_ms(2000);
  const LogCapture capture;
  log.finished({.kind = "instant", .text = "up", .caller = "k", .seconds = 1.9, .samples = 5});
  log.finished({.kind = "range", .text = "sum(up)", .caller = "k", .seconds = 2.5, .samples = 7});
  EXPECT_THAT(capture.lines(),
              ElementsAre(AllOf(HasSubstr("slow query"), HasSubstr("sum(up)"), HasSubstr("2.5"),
                                HasSubstr("\"samples\":7"), HasSubstr("\"caller\":\"k\""))));
  const std::string text = registry.write(TextFormat::kPrometheus004);
  EXPECT_THAT(text, HasSubstr("binnacle_query_slow_total 1"));
  EXPECT_THAT(text, HasSubstr("binnacle_query_samples_total 12"));
  EXPECT_THAT(text, HasSubstr("binnacle_query_duration_seconds_count{kind=\"range\"} 1"));
}

TEST(QueryLog, LimitsAreCountedByTheirSetting) {
  Registry registry;
  QueryLog log(registry);
  const Error limit{Code::kResourceExhausted,
                    "query reads more than 5 samples (query.max_samples): select fewer"};
  log.finished({.kind = "instant", .error = &limit});
  const std::string text = registry.write(TextFormat::kPrometheus004);
  EXPECT_THAT(text, HasSubstr("binnacle_query_limited_total{limit=\"max_samples\"} 1"));
  EXPECT_THAT(text, HasSubstr("binnacle_query_failed_total{code=\"resource_exhausted\"} 1"));
}

}  // namespace
}  // namespace binnacle::query::promql
