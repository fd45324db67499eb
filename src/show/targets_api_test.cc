#include "show/targets_api.h"

#include <gmock/gmock.h>

#include "collect/scrape/target_status.h"
#include "show/test_api.h"

namespace binnacle::show {
namespace {

using model::Labels;
using testing::HasSubstr;
using testing::Not;

class FakeTargets final : public collect::scrape::TargetStatuses {
 public:
  std::vector<collect::scrape::ActiveTarget> active() const override {
    collect::scrape::ActiveTarget up;
    up.pool = "a";
    up.discovered = Labels{{"__address__", "127.0.0.1:1"}, {"job", "a"}};
    up.labels = Labels{{"instance", "127.0.0.1:1"}, {"job", "a"}};
    up.url = "http://127.0.0.1:1/metrics?x=y";
    up.health = collect::scrape::TargetHealth::kUp;
    up.last_scrape_ms = 1'700'000'000'250;
    up.last_duration_seconds = 0.5;
    up.interval_ms = 15'000;
    up.timeout_ms = 10'000;
    collect::scrape::ActiveTarget fresh = up;
    fresh.pool = "b";
    fresh.url = "http://other/metrics";
    fresh.health = collect::scrape::TargetHealth::kUnknown;
    fresh.last_scrape_ms = 0;
    fresh.last_error = "say \"no\"";
    return {up, fresh};
  }
  std::vector<collect::scrape::DroppedTarget> dropped() const override {
    return {{"a", Labels{{"__address__", "d"}}}, {"b", Labels{{"__address__", "e"}}}};
  }
  std::map<std::string, uint64_t> dropped_counts() const override { return {{"a", 1}, {"b", 7}}; }
  std::vector<std::string> pools() const override { return {"a", "b"}; }
  std::vector<collect::scrape::TargetMetadata> metadata() const override {
    return {{Labels{{"job", "a"}},
             {{"x", {model::MetricType::kGauge, "Ix.", ""}},
              {"y_bytes", {model::MetricType::kCounter, "", "bytes"}}}},
            {Labels{{"job", "b"}}, {{"x", {}}}}};
  }
};

class TargetsApiTest : public ApiTest {
 protected:
  TargetsApiTest() {
    facts_.host_name = "watcher";
    auto deps = std::make_shared<PrometheusApiDeps>(
        PrometheusApiDeps{.store = store_,
                          .clock = clock_,
                          .limits = [this] { return limits_; },
                          .log = log_,
                          .metadata = [this] { return metadata_; },
                          .external_labels = [this] { return external_labels_; },
                          .facts = [this] { return facts_; },
                          .version = "0",
                          .revision = "0",
                          .targets = &targets_});
    EXPECT_TRUE(register_targets_api(own_router_, deps));
  }

  net::Response call(std::string_view target, std::vector<net::HeaderView> headers) override {
    return call_route(own_router_, net::Method::kGet, target, std::move(headers));
  }

  FakeTargets targets_;
  net::Router own_router_;  // the fixture's has no targets
};

TEST_F(TargetsApiTest, TellsAllOfATarget) {
  EXPECT_THAT(
      data("/api/v1/targets?scrapePool=a"),
      R"({"activeTargets":[{"discoveredLabels":{"__address__":"127.0.0.1:1","job":"a"},)"
      R"("labels":{"instance":"127.0.0.1:1","job":"a"},"scrapePool":"a",)"
      R"("scrapeUrl":"http://127.0.0.1:1/metrics?x=y","globalUrl":"http://watcher:1/metrics?x=y",)"
      R"("lastError":"","lastScrape":"2023-11-14T22:13:20.250Z","lastScrapeDuration":0.5,)"
      R"("health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"}],)"
      R"("droppedTargets":[{"discoveredLabels":{"__address__":"d"},"scrapePool":"a"}],)"
      R"("droppedTargetCounts":{"a":1,"b":7}})");
}

TEST_F(TargetsApiTest, ATargetThatWasNotScrapedYet) {
  const std::string all = data("/api/v1/targets?state=active&scrapePool=b");
  EXPECT_THAT(all, HasSubstr(R"("lastError":"say \"no\"")"));
  EXPECT_THAT(all, HasSubstr(R"("lastScrape":"0001-01-01T00:00:00Z")"));
  EXPECT_THAT(all, HasSubstr(R"("health":"unknown")"));
  EXPECT_THAT(all, HasSubstr(R"("globalUrl":"http://other/metrics")"));
}

TEST_F(TargetsApiTest, StatesAreChosen) {
  EXPECT_THAT(data("/api/v1/targets?state=Active"),
              HasSubstr(R"("droppedTargets":[],"droppedTargetCounts":null})"));
  EXPECT_THAT(data("/api/v1/targets?state=dropped"), HasSubstr(R"({"activeTargets":[],)"));
  EXPECT_THAT(data("/api/v1/targets?state=dropped"), HasSubstr(R"("scrapePool":"b"}],)"));
  EXPECT_THAT(data("/api/v1/targets?state=any"),
              HasSubstr(R"("scrapePool":"b"}],"droppedTargetCounts":{"a":1,"b":7}})"));
  EXPECT_EQ(data("/api/v1/targets?state=none"),
            R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null})");
}

TEST_F(TargetsApiTest, MetadataOfTargets) {
  EXPECT_EQ(
      data("/api/v1/targets/metadata"),
      R"([{"target":{"job":"a"},"metric":"x","type":"gauge","help":"Ix.","unit":""},)"
      R"({"target":{"job":"a"},"metric":"y_bytes","type":"counter","help":"","unit":"bytes"},)"
      R"({"target":{"job":"b"},"metric":"x","type":"unknown","help":"","unit":""}])");
  EXPECT_EQ(data("/api/v1/targets/metadata?metric=x&match_target={job=\"b\"}"),
            R"([{"target":{"job":"b"},"type":"unknown","help":"","unit":""}])");
  EXPECT_THAT(data("/api/v1/targets/metadata?limit=1"), Not(HasSubstr(R"("job":"b")")));
  EXPECT_EQ(data("/api/v1/targets/metadata?limit=0"), "[]");
  EXPECT_EQ(bad("/api/v1/targets/metadata?limit=x"), "limit must be a number");
  EXPECT_THAT(bad("/api/v1/targets/metadata?match_target=%7B"), HasSubstr("match_target"));
}

TEST_F(TargetsApiTest, PoolsAreListed) {
  EXPECT_EQ(data("/api/v1/scrape_pools"), R"({"scrapePools":["a","b"]})");
}

}  // namespace
}  // namespace binnacle::show
