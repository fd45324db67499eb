#include "show/tsdb_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "show/test_route_caller.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::show {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kStatus = "/api/v1/status/tsdb";
constexpr const char* kDelete = "/api/v1/admin/tsdb/delete_series";
constexpr const char* kClean = "/api/v1/admin/tsdb/clean_tombstones";
constexpr const char* kSnapshot = "/api/v1/admin/tsdb/snapshot";
constexpr const char* kFlush = "/api/binnacle/v1/store/flush";

class TsdbApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run_.open());
    store_ = std::move(run_.store);
    ASSERT_TRUE(register_tsdb_api(router_, {[this] { return store_; }, run_.clock, "backups"}));
  }
  void TearDown() override { store_.reset(); }

  void put_at(const model::Labels& labels, int64_t at, double value) {
    ASSERT_TRUE(store::metrics::put(*store_, labels, run_.start_ms + at, value));
  }
  net::Response call(net::Method method, const std::string& target) {
    return call_route(router_, method, target);
  }
  net::Response get(const std::string& target) { return call(net::Method::kGet, target); }
  net::Response post(const std::string& target) { return call(net::Method::kPost, target); }
  std::vector<std::string> held(model::Queryable& store) const {
    return store::metrics::dump(store, {}, kBeginning, kEnd, run_.start_ms);
  }

  static constexpr int64_t kBeginning = 0;
  static constexpr int64_t kEnd = 4'000'000'000'000;
  store::metrics::StoreTestRun run_;
  std::shared_ptr<store::metrics::MetricStore> store_;
  net::Router router_;
  const model::Labels up_a_ = {{"__name__", "up"}, {"job", "a"}};
  const model::Labels up_b_ = {{"__name__", "up"}, {"job", "b"}};
  const model::Labels go_a_ = {{"__name__", "go"}, {"job", "a"}};
};

TEST_F(TsdbApiTest, StatusHasTheShapeThatPrometheusDocuments) {
  put_at(up_a_, 0, 1);
  put_at(up_b_, 1000, 1);
  put_at(go_a_, 2000, 1);
  const net::Response response = get(kStatus);
  ASSERT_EQ(response.status, 200) << response.body;
  const json answer = json::parse(response.body);
  EXPECT_EQ(answer["status"], "success");
  const json& data = answer["data"];
  EXPECT_EQ(data["headStats"], json({{"numSeries", 3},
                                     {"numLabelPairs", 4},
                                     {"chunkCount", 3},
                                     {"minTime", run_.start_ms},
                                     {"maxTime", run_.start_ms + 2000}}));
  EXPECT_EQ(data["seriesCountByMetricName"],
            json::parse(R"([{"name":"up","value":2},{"name":"go","value":1}])"));
  EXPECT_EQ(data["labelValueCountByLabelName"],
            json::parse(R"([{"name":"__name__","value":2},{"name":"job","value":2}])"));
  EXPECT_EQ(data["memoryInBytesByLabelName"],
            json::parse(R"([{"name":"__name__","value":4},{"name":"job","value":2}])"));
  EXPECT_EQ(data["seriesCountByLabelValuePair"], json::parse(R"([{"name":"__name__=up","value":2},
      {"name":"job=a","value":2},{"name":"__name__=go","value":1},{"name":"job=b","value":1}])"));
  EXPECT_EQ(data["binnacle"]["blocks"], 0);
  EXPECT_GT(data["binnacle"]["walBytes"], 0);
}

TEST_F(TsdbApiTest, BlocksHaveTheShapeThatPrometheusDocuments) {
  const char* const path = "/api/v1/status/tsdb/blocks";
  EXPECT_EQ(get(path).body, R"({"status":"success","data":{"blocks":[]}})");
  put_at(up_a_, 0, 1);
  put_at(up_a_, 1000, 2);
  put_at(up_b_, 1000, 1);
  ASSERT_EQ(post(kFlush).status, 204);
  const net::Response response = get(path);
  ASSERT_EQ(response.status, 200) << response.body;
  const json all = json::parse(response.body)["data"]["blocks"];
  ASSERT_EQ(all.size(), 1u);
  const json& block = all[0];
  EXPECT_EQ(block["ulid"].get<std::string>().size(), 26u);
  EXPECT_LE(block["minTime"], run_.start_ms);
  EXPECT_GT(block["maxTime"], run_.start_ms + 1000);
  EXPECT_EQ(block["stats"], json::parse(R"({"numSamples":3,"numFloatSamples":3,"numSeries":2,
                                            "numChunks":2})"));
  EXPECT_EQ(block["compaction"], json({{"level", 1}, {"sources", {block["ulid"]}}}));
  EXPECT_EQ(block["version"], store::metrics::kDefaultFormat);
  store_.reset();
  EXPECT_EQ(get(path).status, 503);
}

TEST_F(TsdbApiTest, StatusCountsTheChunksOfTheHead) {
  for (int i = 0; i < 40; ++i) put_at(up_a_, i * 1000, i);
  put_at(up_b_, 0, 1);
  const auto chunks = [&] {
    return json::parse(get(kStatus).body)["data"]["headStats"]["chunkCount"].get<int>();
  };
  EXPECT_EQ(chunks(), 4);  // of 16, 16 and 8 samples, and one of 1
  store_.reset();
  ASSERT_TRUE(run_.open());
  store_ = std::move(run_.store);
  EXPECT_EQ(chunks(), 4);
}

TEST_F(TsdbApiTest, CleaningTakesTheBytesOfDeletedSamplesAndNothingElse) {
  for (int i = 0; i < 500; ++i) {
    put_at(up_a_, i * 1000, i * 1.37);
    put_at(up_b_, i * 1000, i);
  }
  ASSERT_EQ(post(kFlush).status, 204);
  EXPECT_EQ(post(std::string(kDelete) + "?match[]=%7Bjob%3D%22a%22%7D").status, 204);
  const auto before = held(*store_);
  const auto status = store_->status();
  EXPECT_EQ(post(kClean).status, 204);
  EXPECT_EQ(held(*store_), before);
  EXPECT_LT(store_->status().block_bytes, status.block_bytes);
  EXPECT_EQ(store_->status().blocks, status.blocks);
  EXPECT_EQ(call(net::Method::kPut, kClean).status, 204);  // nothing to do
  EXPECT_EQ(post(std::string(kDelete) + "?match[]=up").status, 204);
  EXPECT_EQ(post(kClean).status, 204);
  EXPECT_EQ(store_->status().blocks, 0u);
  EXPECT_EQ(held(*store_), std::vector<std::string>{});
}

TEST_F(TsdbApiTest, StatusOfAnEmptyStoreHasEmptyLists) {
  const json data = json::parse(get(kStatus).body)["data"];
  EXPECT_EQ(data["headStats"]["numSeries"], 0);
  EXPECT_EQ(data["headStats"]["minTime"], 0);
  EXPECT_EQ(data["seriesCountByMetricName"], json::array());
}

TEST_F(TsdbApiTest, StatusListsAsManyAsAskedFor) {
  put_at(up_a_, 0, 1);
  put_at(go_a_, 0, 1);
  EXPECT_EQ(
      json::parse(get(std::string(kStatus) + "?limit=1").body)["data"]["seriesCountByMetricName"]
          .size(),
      1u);
  for (const char* bad : {"0", "-1", "x", "10001", "1x"}) {
    const net::Response response = get(std::string(kStatus) + "?limit=" + bad);
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_THAT(response.body, HasSubstr("limit"));
  }
}

TEST_F(TsdbApiTest, DeletesWhatMatchesWithinTheTimeAndNothingElse) {
  for (int i = 0; i < 3; ++i) {
    put_at(up_a_, i * 1000, i);
    put_at(up_b_, i * 1000, i);
  }
  const std::string time = std::to_string(run_.start_ms / 1000 + 1);
  EXPECT_EQ(
      post(std::string(kDelete) + "?match[]=up%7Bjob%3D%22a%22%7D&start=" + time + "&end=" + time)
          .status,
      204);
  EXPECT_EQ(held(*store_), (std::vector<std::string>{R"(up{job="a"} 0@0 2@2000)",
                                                     R"(up{job="b"} 0@0 1@1000 2@2000)"}));
  EXPECT_EQ(call(net::Method::kPut, std::string(kDelete) + "?match[]=up").status, 204);
  EXPECT_EQ(held(*store_), std::vector<std::string>{});
}

TEST_F(TsdbApiTest, DeletesInBlocksToo) {
  put_at(up_a_, 0, 1);
  put_at(up_b_, 0, 2);
  ASSERT_EQ(post(kFlush).status, 204);
  EXPECT_EQ(post(std::string(kDelete) + "?match[]=%7Bjob%3D%22a%22%7D").status, 204);
  EXPECT_EQ(held(*store_), std::vector<std::string>{R"(up{job="b"} 2@0)"});
}

TEST_F(TsdbApiTest, RefusesADeletionThatItCannotRead) {
  put_at(up_a_, 0, 1);
  for (const char* bad : {"", "?match[]=up%7B", "?match[]=up&start=2&end=1", "?match[]=up&start=x",
                          "?match[]=up&end=tomorrow"}) {
    const net::Response response = post(std::string(kDelete) + bad);
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_EQ(json::parse(response.body)["errorType"], "bad_data") << bad;
  }
  EXPECT_EQ(held(*store_).size(), 1u);
}

TEST_F(TsdbApiTest, FlushMovesTheHeadIntoBlocks) {
  put_at(up_a_, 0, 1);
  EXPECT_EQ(post(kFlush).status, 204);
  EXPECT_EQ(store_->status().blocks, 1u);
  EXPECT_EQ(held(*store_), std::vector<std::string>{R"(up{job="a"} 1@0)"});
  EXPECT_EQ(json::parse(get(kStatus).body)["data"]["binnacle"]["blocks"], 1);
}

TEST_F(TsdbApiTest, ASnapshotIsAStoreOfItsOwnWithHeadAndBlocks) {
  put_at(up_a_, 0, 1);
  ASSERT_EQ(post(kFlush).status, 204);
  put_at(up_b_, 5000, 2);
  const net::Response response = post(kSnapshot);
  ASSERT_EQ(response.status, 200) << response.body;
  const std::string name = json::parse(response.body)["data"]["name"];
  put_at(up_b_, 6000, 3);  // after it, so not in it
  Registry registry;
  auto restored = store::metrics::MetricStore::open("backups/" + name, {}, run_.files, run_.clock,
                                                    run_.random, registry);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(held(**restored),
            (std::vector<std::string>{R"(up{job="a"} 1@0)", R"(up{job="b"} 2@5000)"}));
}

TEST_F(TsdbApiTest, ASnapshotThatIsThereIsNotWrittenOver) {
  ASSERT_EQ(post(kSnapshot).status, 200);
  const net::Response again = post(kSnapshot);  // the clock stands still
  EXPECT_NE(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr("there already"));
}

TEST_F(TsdbApiTest, WhileTheStoreLoadsEverythingIsPutOff) {
  store_.reset();
  EXPECT_EQ(get(kStatus).status, 503);
  for (const char* path : {kDelete, kSnapshot, kFlush}) {
    const net::Response response = post(path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_THAT(response.body, HasSubstr("being loaded")) << path;
  }
}

TEST_F(TsdbApiTest, ViewersMayLookAndAdminsMayChange) {
  const auto role = [this](net::Method method, std::string_view path) {
    std::vector<std::pair<std::string_view, std::string>> params;
    const net::Router::Match match = router_.match(method, path, params);
    EXPECT_NE(match.route, nullptr) << path;
    return match.route->role;
  };
  EXPECT_EQ(role(net::Method::kGet, kStatus), Role::kViewer);
  for (const char* path : {kDelete, kSnapshot, kFlush})
    EXPECT_EQ(role(net::Method::kPost, path), Role::kAdmin) << path;
  EXPECT_EQ(get(kDelete).status, 405);
}

}  // namespace
}  // namespace binnacle::show
