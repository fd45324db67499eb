#include "show/status_api.h"

#include <gmock/gmock.h>

#include "show/test_api.h"

namespace binnacle::show {
namespace {

using testing::HasSubstr;

class StatusApiTest : public ApiTest {};

TEST_F(StatusApiTest, BuildInfoForGrafana) {
  const std::string info = data("/api/v1/status/buildinfo");
  EXPECT_THAT(info, HasSubstr(R"("version":"0.1.0")"));
  EXPECT_EQ(info.find("features"), std::string::npos);
}

TEST_F(StatusApiTest, WhatTheServerTellsOfItself) {
  facts_.started_ms = kStartMs;
  facts_.retention = "30d";
  facts_.collect_interval_ms = 1000;
  facts_.replay_bytes = 20;
  facts_.replayed_bytes = 10;
  facts_.flags = {{"query.timeout", "2m"}};
  external_labels_ = {{"site", "\"a\""}};
  EXPECT_THAT(data("/api/v1/status/runtimeinfo"),
              testing::AllOf(HasSubstr(R"("startTime":"2023-11-14T22:13:20.000Z")"),
                             HasSubstr(R"("storageRetention":"30d")")));
  EXPECT_EQ(data("/api/v1/status/flags"), R"({"query.timeout":"2m"})");
  EXPECT_EQ(data("/api/v1/status/walreplay"), R"({"current":10,"max":20,"min":0})");
  EXPECT_EQ(data("/api/v1/status/config"),
            R"({"yaml":"global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n)"
            R"(  external_labels:\n    \"site\": \"\\\"a\\\"\"\n"})");
  EXPECT_EQ(data("/api/v1/notifications"), "[]");
}

TEST_F(StatusApiTest, FeaturesFollowTheSetting) {
  EXPECT_THAT(data("/api/v1/features"), HasSubstr(R"("duration_expr":false)"));
  limits_.experimental = true;
  EXPECT_THAT(data("/api/v1/features"),
              testing::AllOf(HasSubstr(R"("duration_expr":true)"), HasSubstr(R"("rate":true)")));
}

TEST_F(StatusApiTest, AlertmanagersThatAreToldAndThatAreNot) {
  outside_ = {.active = {"http://a:9093/api/v2/alerts", "http://b:9093/api/v2/alerts"},
              .dropped = {"http://c:9093/api/v2/alerts"}};
  EXPECT_EQ(data("/api/v1/alertmanagers"),
            R"({"activeAlertmanagers":[{"url":"http://a:9093/api/v2/alerts"},)"
            R"({"url":"http://b:9093/api/v2/alerts"}],)"
            R"("droppedAlertmanagers":[{"url":"http://c:9093/api/v2/alerts"}]})");
}

TEST_F(StatusApiTest, PartsThatAreNotThereAreEmpty) {
  EXPECT_EQ(data("/api/v1/targets"),
            R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})");
  EXPECT_EQ(data("/api/v1/targets?state=active"),
            R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null})");
  EXPECT_EQ(data("/api/v1/targets/metadata?match_target={job=\"a\"}"), "[]");
  EXPECT_EQ(data("/api/v1/scrape_pools"), R"({"scrapePools":[]})");
  EXPECT_EQ(data("/api/v1/rules?type=alert"), R"({"groups":[]})");
  EXPECT_EQ(data("/api/v1/alerts"), R"({"alerts":[]})");
  EXPECT_EQ(data("/api/v1/alertmanagers"),
            R"({"activeAlertmanagers":[],"droppedAlertmanagers":[]})");
  EXPECT_EQ(bad("/api/v1/rules?type=x"),
            R"(invalid parameter \"type\": not supported value \"x\")");
  EXPECT_THAT(bad("/api/v1/rules?group_next_token=x"),
              HasSubstr("group_limit needs to be present"));
  EXPECT_THAT(bad("/api/v1/targets/metadata?match_target=%7B"), HasSubstr("match_target"));
}

}  // namespace
}  // namespace binnacle::show
