#include <gtest/gtest.h>
#include <snappy.h>

#include <atomic>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/check.h"
#include "base/fault_file_system.h"
#include "base/thread_pool.h"
#include "collect/ship/merged_queryable.h"
#include "net/router.h"
#include "net/server.h"
#include "store/metrics/metric_store.h"

namespace binnacle::collect::ship {
namespace {

using model::Labels;
using Points = std::vector<std::pair<int64_t, double>>;

// A ReadResponse of one query.
std::string answer_message(const std::vector<std::pair<Labels, Points>>& all) {
  std::string result;
  protozero::pbf_writer writer(result);
  for (const auto& [labels, points] : all) {
    protozero::pbf_writer series(writer, 1);
    for (const model::Label& label : labels) {
      protozero::pbf_writer one(series, 1);
      one.add_string(1, label.name.data(), label.name.size());
      one.add_string(2, label.value.data(), label.value.size());
    }
    for (const auto& [ms, value] : points) {
      protozero::pbf_writer one(series, 2);
      one.add_double(1, value);
      one.add_int64(2, ms);
    }
  }
  std::string out;
  protozero::pbf_writer(out).add_message(1, result);
  return out;
}

class RemoteReadTest : public testing::Test {
 protected:
  RemoteReadTest() {
    net::Route route;
    route.method = net::Method::kPost;
    route.pattern = "/read";
    route.role = Role::kPublic;
    route.takes_coded_body = true;
    route.handler = [this](const net::Request& request) { return answer(request); };
    CHECK(router_.add(std::move(route)));
    server_ = std::make_unique<net::Server>(io_, router_, nullptr, pool_, registry_, clock_,
                                            net::ServerLimits{});
    CHECK(server_->listen({.address = "127.0.0.1:0"}));
    io_.start();
    server_->start();
    options_.name = "far";
    options_.url = "http://" + server_->addresses().front() + "/read";
    auto store =
        store::metrics::MetricStore::open("/store", {}, files_, sim_, random_, store_registry_);
    CHECK(store);
    store_ = std::move(*store);
    now_ms_ = sim_.wall_ms();
  }
  ~RemoteReadTest() override { server_->stop(std::chrono::milliseconds(0)); }

  net::Response answer(const net::Request& request) {
    ++asked_;
    CHECK(snappy::Uncompress(request.body.data(), request.body.size(), &question_));
    if (status_ != 200) return net::Response::text(status_, "out to lunch\n");
    net::Response response;
    response.headers.set("Content-Encoding", "snappy");
    snappy::Compress(message_.data(), message_.size(), &response.body);
    return response;
  }

  void use_remote() {
    auto client = RemoteReadClient::create(options_, {io_, files_, clock_, registry_});
    ASSERT_TRUE(client) << client.error().message;
    merged_.set_remotes({std::shared_ptr<RemoteReadClient>(std::move(*client))});
  }
  void store(const Labels& labels, const Points& points) {
    auto appender = store_->appender();
    for (const auto& [ms, value] : points) ASSERT_TRUE(appender->append(0, labels, {ms, value}));
    ASSERT_TRUE(appender->commit());
  }
  // "labels time:value ..." with times from now_ms_ on.
  Result<std::vector<std::string>> select(int64_t min_ms) {
    TRY_ASSIGN(const auto querier, merged_.querier(min_ms, now_ms_));
    model::Matchers matchers{*model::Matcher::create(model::MatchOp::kRegex, "__name__", "m.*")};
    TRY_ASSIGN(const auto set, querier->select(matchers, {}));
    std::vector<std::string> out;
    for (model::SeriesColumns series; set->next(series);) {
      std::string line = series.labels.to_string();
      for (size_t i = 0; i < series.values.size(); ++i) {
        line += " " + std::to_string(series.timestamps_ms[i] - now_ms_) + ":" +
                std::to_string(static_cast<int>(series.values[i]));
      }
      out.push_back(line);
    }
    TRY(set->status());
    warnings_ = querier->warnings();
    return out;
  }

  SystemClock clock_;
  SimulatedClock sim_;
  SeededRandom random_{1};
  FaultFileSystem files_;
  Registry registry_;
  Registry store_registry_;
  net::Router router_;
  net::IoThreads io_{1};
  ThreadPool pool_{"far", 1, 8};
  std::unique_ptr<net::Server> server_;
  std::atomic<int> asked_ = 0;
  int status_ = 200;
  std::string message_;
  std::string question_;

  RemoteReadOptions options_;
  std::unique_ptr<store::metrics::MetricStore> store_;
  int64_t now_ms_ = 0;
  int64_t local_from_ms_ = 0;
  struct Local final : model::Queryable {
    explicit Local(RemoteReadTest& test) : test_(test) {}
    Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override {
      return test_.store_->querier(min_ms, max_ms);
    }
    RemoteReadTest& test_;
  };
  Local local_{*this};
  MergedQueryable merged_{local_, [this] { return local_from_ms_; }};
  std::vector<std::string> warnings_;
};

TEST_F(RemoteReadTest, OlderSamplesComeFromTheRemoteStore) {
  store(Labels{{"__name__", "m2"}}, {{now_ms_ - 1000, 1}, {now_ms_, 2}});
  local_from_ms_ = now_ms_ - 1000;
  message_ = answer_message({{Labels{{"__name__", "m3"}}, {{now_ms_ - 5000, 7}}},
                             {Labels{{"__name__", "m1"}}, {{now_ms_ - 5000, 8}}},
                             {Labels{{"__name__", "m2"}},
                              {{now_ms_ - 4000, 9}, {now_ms_ - 3000, 10}, {now_ms_ - 1000, 77}}}});
  use_remote();
  const auto got = select(now_ms_ - 10'000);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(*got, (std::vector<std::string>{"m1 -5000:8", "m2 -4000:9 -3000:10 -1000:1 0:2",
                                            "m3 -5000:7"}))
      << "where both have a sample the local one counts";
  protozero::pbf_reader request(question_);
  ASSERT_TRUE(request.next(1));
  protozero::pbf_reader query = request.get_message();
  ASSERT_TRUE(query.next(1));
  EXPECT_EQ(query.get_int64(), now_ms_ - 10'000);
  ASSERT_TRUE(query.next(2));
  EXPECT_EQ(query.get_int64(), now_ms_ - 1001) << "only what is not here";
  ASSERT_TRUE(query.next(3));
}

TEST_F(RemoteReadTest, RecentQueriesDoNotAsk) {
  store(Labels{{"__name__", "m"}}, {{now_ms_, 2}});
  local_from_ms_ = now_ms_ - 1000;
  use_remote();
  EXPECT_EQ(*select(now_ms_ - 1000), (std::vector<std::string>{"m 0:2"}));
  options_.required_matchers = {{"cluster", "a"}};
  use_remote();
  EXPECT_EQ(*select(now_ms_ - 9000), (std::vector<std::string>{"m 0:2"}));
  EXPECT_EQ(asked_, 0);
}

TEST_F(RemoteReadTest, AFailureIsAWarningUnlessItIsRequired) {
  store(Labels{{"__name__", "m"}}, {{now_ms_, 2}});
  local_from_ms_ = now_ms_;
  status_ = 503;
  use_remote();
  EXPECT_EQ(*select(now_ms_ - 1000), (std::vector<std::string>{"m 0:2"}));
  EXPECT_EQ(warnings_, (std::vector<std::string>{"remote read far: status 503: out to lunch"}));
  status_ = 200;
  message_ = "\x0a\xff";
  EXPECT_EQ(*select(now_ms_ - 1000), (std::vector<std::string>{"m 0:2"}));
  EXPECT_EQ(warnings_.size(), 1U) << "malformed";
  options_.required = true;
  use_remote();
  EXPECT_FALSE(select(now_ms_ - 1000));
}

TEST_F(RemoteReadTest, ExternalLabelsAreAskedForAndTakenOff) {
  local_from_ms_ = now_ms_;
  options_.external_labels = {{"cluster", "a"}};
  message_ = answer_message({{Labels{{"__name__", "m"}, {"cluster", "a"}}, {{now_ms_ - 5000, 7}}}});
  use_remote();
  EXPECT_EQ(*select(now_ms_ - 9000), (std::vector<std::string>{"m -5000:7"}));
  EXPECT_NE(question_.find("cluster"), std::string::npos);
}

TEST_F(RemoteReadTest, RefusesAnswersOutOfOrder) {
  const auto parsed =
      parse_read_response(answer_message({{Labels{{"__name__", "m"}}, {{5, 1}, {5, 2}}}}));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "samples of m are out of order");
}

}  // namespace
}  // namespace binnacle::collect::ship
