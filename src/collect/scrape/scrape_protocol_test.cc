#include "collect/scrape/scrape_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::collect::scrape {
namespace {

using exposition::Format;
using testing::HasSubstr;

TEST(ScrapeProtocol, IsAskedForInOrder) {
  EXPECT_EQ(accept_header(default_protocols()),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
            "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
  EXPECT_EQ(accept_header({ScrapeProtocol::kText004, ScrapeProtocol::kOpenMetrics001}),
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
            "*/*;q=0.4");
}

TEST(ScrapeProtocol, IsKnownByItsName) {
  EXPECT_EQ(protocol_of("PrometheusText0.0.4"), ScrapeProtocol::kText004);
  EXPECT_EQ(protocol_of("OpenMetricsText1.0.0"), ScrapeProtocol::kOpenMetrics100);
  EXPECT_EQ(protocol_of("PrometheusProto"), std::nullopt);
}

TEST(ScrapeProtocol, AFallbackIsForTypesThatAreMissingOrUnknown) {
  const auto om = ScrapeProtocol::kOpenMetrics100;
  EXPECT_EQ(answer_format("", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format(" ", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format("application/json", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format("text/plain; version=0.0.4", om), Format::kText);
  EXPECT_EQ(answer_format("application/openmetrics-text", ScrapeProtocol::kText004),
            Format::kOpenMetrics);
  EXPECT_EQ(answer_format("", std::nullopt), Format::kText);
  const auto refused = answer_format("application/json", std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("fallback_scrape_protocol"));
}

}  // namespace
}  // namespace binnacle::collect::scrape
