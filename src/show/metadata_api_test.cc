#include "show/metadata_api.h"

#include <gmock/gmock.h>

#include "show/test_api.h"

namespace binnacle::show {
namespace {

using testing::HasSubstr;

class MetadataApiTest : public ApiTest {};

TEST_F(MetadataApiTest, LabelsAndValues) {
  EXPECT_EQ(data("/api/v1/labels"), R"(["__name__","http.status","job","zone"])");
  EXPECT_EQ(data("/api/v1/labels?match[]=up"), R"(["__name__","job"])");
  EXPECT_EQ(data("/api/v1/label/job/values"), R"(["a","b"])");
  EXPECT_EQ(data("/api/v1/label/__name__/values?match[]=up&match[]=x"), R"(["up","x"])");
  EXPECT_EQ(data("/api/v1/label/job/values?end=1600000000"), "[]");
  EXPECT_EQ(data("/api/v1/label/job/values?start=2&end=1"), "[]");
  EXPECT_EQ(data("/api/v1/label/none/values"), "[]");
}

TEST_F(MetadataApiTest, NamesThatPathsCannotHold) {
  EXPECT_EQ(data("/api/v1/label/U__http_2e_status/values"), R"(["1"])");
  EXPECT_EQ(data("/api/v1/label/http.status/values"), R"(["1"])");
  EXPECT_EQ(unescape_label_name("U__a__b_1f600_"), "a_b\xF0\x9F\x98\x80");
  EXPECT_EQ(unescape_label_name("U__a_b"), "U__a_b");
  EXPECT_EQ(unescape_label_name("U__a_d800_"), "U__a_d800_");
  EXPECT_EQ(unescape_label_name("plain_2e_"), "plain_2e_");
  EXPECT_THAT(bad("/api/v1/label/%ff/values"), HasSubstr("invalid label name"));
}

TEST_F(MetadataApiTest, Series) {
  EXPECT_EQ(data("/api/v1/series?match[]=up&match[]=up{job=\"b\"}"),
            R"([{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}])");
  EXPECT_EQ(bad("/api/v1/series"), "no match[] parameter provided");
  EXPECT_THAT(bad("/api/v1/series?match[]=up%7B"),
              HasSubstr(R"(invalid parameter \"match[]\": 1:4: parse error)"));
  EXPECT_EQ(
      bad("/api/v1/series?match[]=%7B%7D"),
      R"(invalid parameter \"match[]\": match[] must contain at least one non-empty matcher)");
  EXPECT_EQ(bad("/api/v1/labels?match[]=%7B%7D"),
            "match[] must contain at least one non-empty matcher");
}

TEST_F(MetadataApiTest, LimitsAreTold) {
  const std::string warning = R"(],"warnings":["results truncated due to limit"]})";
  EXPECT_EQ(get("/api/v1/label/job/values?limit=1"),
            R"({"status":"success","data":["a")" + warning);
  EXPECT_EQ(get("/api/v1/labels?limit=2"),
            R"({"status":"success","data":["__name__","http.status")" + warning);
  EXPECT_EQ(get("/api/v1/series?match[]=up&limit=1"),
            R"({"status":"success","data":[{"__name__":"up","job":"a"})" + warning);
  EXPECT_EQ(data("/api/v1/label/job/values?limit=2"), R"(["a","b"])");
}

TEST_F(MetadataApiTest, Metadata) {
  metadata_ = {{"a_total", {model::MetricType::kCounter, "Help \"a\".", ""}},
               {"b_seconds", {model::MetricType::kGaugeHistogram, "B.", "seconds"}}};
  EXPECT_EQ(data("/api/v1/metadata"),
            R"({"a_total":[{"type":"counter","unit":"","help":"Help \"a\"."}],)"
            R"("b_seconds":[{"type":"gaugehistogram","unit":"seconds","help":"B."}]})");
  EXPECT_EQ(data("/api/v1/metadata?limit=1&limit_per_metric=1"),
            R"({"a_total":[{"type":"counter","unit":"","help":"Help \"a\"."}]})");
  EXPECT_THAT(data("/api/v1/metadata?metric=b_seconds"), HasSubstr("{\"b_seconds\""));
  EXPECT_EQ(data("/api/v1/metadata?metric=none"), "{}");
  EXPECT_EQ(bad("/api/v1/metadata?limit=x"), "limit must be a number");
}

}  // namespace
}  // namespace binnacle::show
