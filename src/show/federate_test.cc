#include "show/federate.h"

#include <gmock/gmock.h>

#include "model/sample.h"
#include "show/test_api.h"

namespace binnacle::show {
namespace {

using testing::HasSubstr;

class FederateTest : public ApiTest {};

TEST_F(FederateTest, NewestSamplesByMetric) {
  const auto response = call("/federate?match[]=up&match[]={zone!=\"\"}&match[]={job=\"a\"}");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body,
            "# TYPE up untyped\n"
            "up{job=\"a\",instance=\"\"} 0.5 1700000015000\n"
            "up{job=\"b\",instance=\"\"} +Inf 1700000015000\n"
            "# TYPE x untyped\n"
            "x{http_status=\"1\",zone=\"\\\"q\\\"\",instance=\"\"} 1e-07 1700000015000\n");
}

TEST_F(FederateTest, NamesInFullForWhoKnowsThem) {
  put(model::Labels{{"__name__", "my.metric"}, {"instance", "i"}}, 1000, 2);
  const auto response = call("/federate?match[]=x&match[]={\"my.metric\"}",
                             {{"Accept", "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3"}});
  EXPECT_EQ(response.body,
            "# TYPE \"my.metric\" untyped\n"
            "{\"my.metric\",instance=\"i\"} 2 1700000001000\n"
            "# TYPE x untyped\n"
            "x{\"http.status\"=\"1\",zone=\"\\\"q\\\"\",instance=\"\"} 1e-07 1700000015000\n");
}

TEST_F(FederateTest, ExternalLabelsWhereTheyAreNotSet) {
  external_labels_ = {{"instance", "me"}, {"job", "other"}, {"site", "s"}};
  EXPECT_THAT(call("/federate?match[]=up{job=\"a\"}").body,
              HasSubstr("up{job=\"a\",instance=\"me\",site=\"s\"} 0.5 "));
}

TEST_F(FederateTest, OldAndStaleSeriesAreLeftOut) {
  put(model::Labels{{"__name__", "up"}, {"job", "b"}}, 15'500, model::stale_nan());
  EXPECT_EQ(call("/federate?match[]=up{job=\"b\"}").body, "");
  clock_.advance_ms(400'000);
  EXPECT_EQ(call("/federate?match[]=up").body, "");
}

TEST_F(FederateTest, BadSelectorsAndLimits) {
  EXPECT_EQ(call("/federate?match[]=up{").status, 400);
  EXPECT_EQ(call("/federate").body, "");
  limits_.max_series = 1;
  EXPECT_EQ(call("/federate?match[]=up").status, 422);
}

}  // namespace
}  // namespace binnacle::show
