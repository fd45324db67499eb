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

TEST(ScrapeProtocol, AFallbackIsForTypesThatAreMissingBrokenOrUnknown) {
  const auto om = ScrapeProtocol::kOpenMetrics100;
  EXPECT_EQ(answer_format("", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format(" ", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format("application/json", om), Format::kOpenMetrics);
  EXPECT_EQ(answer_format("text/plain; version=0.0.4", om), Format::kText);
  EXPECT_EQ(answer_format("application/openmetrics-text", ScrapeProtocol::kText004),
            Format::kOpenMetrics);
  EXPECT_EQ(answer_format("text/plain version=0.0.4", om), Format::kOpenMetrics);
}

TEST(ScrapeProtocol, WithoutAFallbackATypeMustBeOneOfOurs) {
  const auto problem = [](std::string_view type) {
    const auto refused = answer_format(type, std::nullopt);
    if (refused) return std::string("none");
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument) << type;
    EXPECT_THAT(refused.error().message, HasSubstr("fallback_scrape_protocol")) << type;
    return refused.error().message;
  };
  for (const std::string_view missing : {"", " ", "\t"})
    EXPECT_THAT(problem(missing), HasSubstr("has no Content-Type")) << missing;
  EXPECT_THAT(problem("application/json"), HasSubstr("\"application/json\""));
  for (const std::string_view broken :
       {"text", "/plain", "text/", "text/plain/x", "text/plain version=1", "text/plain, text/plain",
        "text/plain;;", "text/plain;version", "text/plain;version=", "text/plain;=1",
        "text/plain;a=\"b", "text/plain;a=1;A=2", "t\xff/plain"}) {
    EXPECT_THAT(problem(broken), HasSubstr("cannot be parsed")) << broken;
  }
  for (const std::string_view good :
       {"text/plain", " Text/Plain ; version=0.0.4 ; charset=utf-8", "text/plain;", "text/plain; ",
        "text/plain;a=1;a=1", R"(text/plain; a="b; \"c"; d=e)"}) {
    EXPECT_EQ(answer_format(good, std::nullopt), Format::kText) << good;
  }
}

}  // namespace
}  // namespace binnacle::collect::scrape
