#include "app/query_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/fault_file_system.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/server.h"
#include "store/access/testing/access_fixture.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class QueryCommandsTest : public testing::Test {
 protected:
  int run(const QueryCommand& command) {
    std::ostringstream out, err;
    const int code = run_query(command, files_, clock_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  // Three samples a minute apart, the last one now.
  void fill(model::Appendable& store) {
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(store::metrics::put(store, {{"__name__", "up"}, {"job", "a"}},
                                      clock_.wall_ms() - (2 - i) * 60'000, i + 1));
  }
  void fill_folder() {
    SeededRandom random(1);
    Registry registry;
    const auto store =
        store::metrics::MetricStore::open("data/metrics", {}, files_, clock_, random, registry);
    ASSERT_TRUE(store) << store.error().message;
    fill(**store);
  }

  FaultFileSystem files_{1};
  SimulatedClock clock_;
  std::string out_, err_;
};

TEST_F(QueryCommandsTest, AsksAFolder) {
  fill_folder();
  EXPECT_EQ(run({.expr = "up", .data_folder = "data"}), 0) << err_;
  EXPECT_EQ(out_, "up{job=\"a\"}  3\n");
  EXPECT_EQ(run({.expr = "sum(up) * 2", .data_folder = "data", .time = "1699999990"}), 0) << err_;
  EXPECT_EQ(out_, "{}  4\n");
  EXPECT_EQ(run({.expr = "up",
                 .data_folder = "data",
                 .range = "2m",
                 .step = "1m",
                 .format = QueryFormat::kChart}),
            0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("up{job=\"a\"}  ▁▅█  1 to 3, last 3\n"));
}

TEST_F(QueryCommandsTest, AnnotationsGoToTheErrors) {
  fill_folder();
  EXPECT_EQ(run({.expr = "rate(up[5m])", .data_folder = "data"}), 0);
  EXPECT_THAT(err_, HasSubstr("PromQL info: metric might not be a counter"));
}

TEST_F(QueryCommandsTest, AWrongQueryIsOneAndNoStoreIsTwo) {
  EXPECT_EQ(run({.expr = "up", .data_folder = "data"}), 2);
  EXPECT_THAT(err_, HasSubstr("metric store data/metrics: there is none"));
  fill_folder();
  EXPECT_EQ(run({.expr = "up +", .data_folder = "data"}), 1);
  EXPECT_THAT(err_, HasSubstr("parse error"));
}

TEST_F(QueryCommandsTest, TimesThatDoNotFitAreRefused) {
  const auto refused = [&](QueryCommand command) {
    command.expr = "up";
    command.data_folder = "data";
    EXPECT_EQ(run(command), 1);
    return err_;
  };
  EXPECT_THAT(refused({.time = "yesterday"}), HasSubstr("yesterday"));
  EXPECT_THAT(refused({.step = "15s"}), HasSubstr("--range"));
  EXPECT_THAT(refused({.start = "0", .range = "1h"}), HasSubstr("--range"));
  EXPECT_THAT(refused({.start = "100", .end = "50"}), HasSubstr("--end lies before"));
  EXPECT_THAT(refused({.time = "5", .range = "1h"}), HasSubstr("--time"));
  EXPECT_THAT(refused({.range = "1h", .step = "0"}), HasSubstr("--step"));
}

// Answers what it is told to, and keeps what it was asked.
struct ApiServer {
  ApiServer() {
    for (const char* path : {"/api/v1/query", "/api/v1/query_range"}) {
      net::Route route;
      route.method = net::Method::kPost;
      route.pattern = path;
      route.role = Role::kViewer;
      route.handler = [this, path](const net::Request& request) {
        asked = std::string(path) + "?" + std::string(request.body);
        return net::Response::json(status, answer);
      };
      CHECK(router.add(std::move(route)));
    }
    server.emplace(io, router, access.guard.get(), pool, access.state.registry,
                   access.state.system_clock, net::ServerLimits{});
    CHECK(server->listen({.address = "127.0.0.1:0", .groups = {}}));
    server->start();
    io.start();
  }
  ~ApiServer() {
    server->stop(std::chrono::milliseconds(1'000));
    pool.stop();
    io.stop();
  }
  std::string url() const { return "http://" + server->addresses().front() + "/"; }

  // Written between exchanges, read during one.
  int status = 200;
  std::string answer;
  std::string asked;

  store::access::AccessFixture access;
  net::IoThreads io{1};
  ThreadPool pool{"test", 1, 16};
  net::Router router;
  std::optional<net::Server> server;
};

TEST_F(QueryCommandsTest, AsksAServer) {
  ApiServer api;
  api.answer = R"({"status":"success","data":{"resultType":"vector","result":[)"
               R"({"metric":{"__name__":"up","job":"a"},"value":[1700000000.5,"+Inf"]}]},)"
               R"("warnings":["PromQL warning: w"],"infos":["PromQL info: i"]})";
  EXPECT_EQ(run({.expr = "up{job=\"a\"}", .server = api.url(), .time = "1700000000.5"}), 0) << err_;
  EXPECT_EQ(api.asked, "/api/v1/query?query=up%7Bjob%3D%22a%22%7D&time=1700000000.5");
  EXPECT_EQ(out_, "up{job=\"a\"}  +Inf\n");
  EXPECT_EQ(err_, "PromQL warning: w\nPromQL info: i\n");
}

TEST_F(QueryCommandsTest, AsksAServerOverARange) {
  ApiServer api;
  api.answer = R"({"status":"success","data":{"resultType":"matrix","result":[)"
               R"({"metric":{},"values":[[1700000000,"1"],[1700000060,"2"]]}]}})";
  EXPECT_EQ(run({.expr = "up",
                 .server = api.url(),
                 .start = "1700000000",
                 .end = "1700000060",
                 .step = "1m",
                 .format = QueryFormat::kJson}),
            0)
      << err_;
  EXPECT_EQ(api.asked, "/api/v1/query_range?query=up&start=1700000000&end=1700000060&step=60");
  EXPECT_EQ(json::parse(out_)["result"][0]["values"][1], json::parse(R"([1700000060,"2"])"));
}

TEST_F(QueryCommandsTest, ReadsScalarsAndStrings) {
  ApiServer api;
  api.answer = R"({"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}})";
  EXPECT_EQ(run({.expr = "x", .server = api.url()}), 0) << err_;
  EXPECT_EQ(out_, "NaN\n");
  api.answer = R"({"status":"success","data":{"resultType":"string","result":[1,"s"]}})";
  EXPECT_EQ(run({.expr = "x", .server = api.url()}), 0) << err_;
  EXPECT_EQ(out_, "s\n");
}

TEST_F(QueryCommandsTest, TheServersWordOnAWrongQueryIsOne) {
  ApiServer api;
  api.status = 400;
  api.answer = R"({"status":"error","errorType":"bad_data","error":"1:4: parse error: no"})";
  EXPECT_EQ(run({.expr = "up{", .server = api.url()}), 1);
  EXPECT_EQ(err_, "binnacle query: 1:4: parse error: no\n");
}

TEST_F(QueryCommandsTest, WhatIsNoPrometheusAnswerIsTwo) {
  ApiServer api;
  for (const char* answer :
       {"<html>", "[]", R"({"status":"success"})", R"({"status":"error"})",
        R"({"status":"success","data":{"resultType":"vector","result":[1]}})"}) {
    api.answer = answer;
    EXPECT_EQ(run({.expr = "up", .server = api.url()}), 2) << answer;
  }
}

TEST_F(QueryCommandsTest, AServerThatIsNotThereIsTwo) {
  EXPECT_EQ(run({.expr = "up", .server = "http://127.0.0.1:1"}), 2);
  EXPECT_THAT(err_, HasSubstr("127.0.0.1:1"));
}

TEST_F(QueryCommandsTest, TheCommandLineIsCheckedBeforeAnythingIsDone) {
  const auto parse = [](const std::string& line) {
    CLI::App root;
    int exit_code = 0;
    add_query_commands(root, exit_code);
    try {
      root.parse(line);
    } catch (const CLI::ParseError& error) {
      return error.get_exit_code();
    }
    return exit_code;
  };
  EXPECT_NE(parse("query"), 0);
  EXPECT_NE(parse("query up --format xml"), 0);
  EXPECT_NE(parse("query up --width 0"), 0);
  EXPECT_NE(parse("query up --data d --server http://127.0.0.1:1"), 0);
}

}  // namespace
}  // namespace binnacle::app
