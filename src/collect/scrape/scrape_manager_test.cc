#include "collect/scrape/scrape_manager.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/stored_fixture.h"

namespace binnacle::collect::scrape {
namespace {

using model::Labels;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Answers as the test says, counts what was asked. Any thread.
class Pages {
 public:
  using Answer = Result<net::Response>;

  void answer(const std::string& url, Answer answer) {
    const MutexLock lock(mu_);
    answers_.insert_or_assign(url, std::move(answer));
  }
  void page(const std::string& url, std::string body, std::string type = "text/plain") {
    net::Response response = net::Response::text(200, std::move(body));
    response.headers.set("Content-Type", type);
    answer(url, std::move(response));
  }
  void hang(const std::string& url) { answer(url, fail(Code::kInternal, "hang")); }
  // Until `url` was asked `times` more.
  void wait_for(const std::string& url, int times = 1) {
    const MutexLock lock(mu_);
    const int wanted = asked_[url] + times;
    while (asked_[url] < wanted) changed_.wait(mu_);
  }
  int asked(const std::string& url) {
    const MutexLock lock(mu_);
    return asked_[url];
  }
  net::ClientRequest last() {
    const MutexLock lock(mu_);
    return last_;
  }
  Answer take(const net::ClientRequest& request) {
    const MutexLock lock(mu_);
    ++asked_[request.url];
    last_ = request;
    changed_.notify_all();
    const auto at = answers_.find(request.url);
    if (at == answers_.end()) return fail(Code::kUnavailable, "connection refused");
    return at->second;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::map<std::string, Answer> answers_ GUARDED_BY(mu_);
  std::map<std::string, int> asked_ GUARDED_BY(mu_);
  net::ClientRequest last_ GUARDED_BY(mu_);
};

class FakeFetcher final : public Fetcher {
 public:
  explicit FakeFetcher(Pages& pages) : pages_(pages) {}
  boost::asio::awaitable<Result<net::Response>> fetch(net::ClientRequest request) override {
    auto answer = pages_.take(request);
    if (!answer && answer.error().message == "hang") {
      boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                      std::chrono::hours(1));
      co_await never.async_wait(boost::asio::use_awaitable);
    }
    co_return answer;
  }

 private:
  Pages& pages_;
};

class ScrapeManagerTest : public testing::Test {
 protected:
  ScrapeManagerTest() { io_.start(); }
  ~ScrapeManagerTest() override { manager_.stop(); }

  static JobConfig job(const std::string& name) {
    JobConfig config;
    config.job_name = name;
    config.interval_ms = 20;
    config.timeout_ms = 20;
    return config;
  }
  static std::vector<model::TargetGroup> group(const std::vector<std::string>& addresses) {
    model::TargetGroup one{"test", {}, {}};
    for (const auto& address : addresses) one.targets.push_back(Labels{{"__address__", address}});
    return {one};
  }
  // Looks again with each scrape of `url`; false when it never came true.
  bool comes_true(const std::string& url, const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      pages_.wait_for(url);
    }
    return false;
  }
  bool has_stale(const std::string& names) {
    const auto lines = stored(store_, names, 0);
    return std::ranges::any_of(
        lines, [](const std::string& line) { return line.find("stale") != line.npos; });
  }
  ActiveTarget only() {
    const auto active = manager_.active();
    EXPECT_EQ(active.size(), 1u);
    return active.empty() ? ActiveTarget{} : active.front();
  }

  SystemClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
  Pages pages_;
  int fetchers_ = 0;  // that were made
  net::IoThreads io_{2};
  ScrapeManager manager_{{},
                         store_,
                         io_,
                         clock_,
                         registry_,
                         [this](const net::HttpClientConfig&) {
                           ++fetchers_;
                           return std::make_shared<FakeFetcher>(pages_);
                         },
                         nullptr};
};

TEST_F(ScrapeManagerTest, ScrapesItsTargetsAndTellsHowItWent) {
  pages_.page("http://a/metrics", "# TYPE x gauge\n# HELP x Ix.\nx 1\n");
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a", "b"}));
  EXPECT_EQ(manager_.active()[0].health, TargetHealth::kUnknown);
  manager_.start();
  pages_.wait_for("http://a/metrics", 3);
  pages_.wait_for("http://b/metrics", 3);
  const auto active = manager_.active();
  ASSERT_EQ(active.size(), 2u);
  EXPECT_EQ(active[0].pool, "one");
  EXPECT_EQ(active[0].labels.to_string(), R"({instance="a", job="one"})");
  EXPECT_EQ(active[0].health, TargetHealth::kUp);
  EXPECT_EQ(active[0].last_error, "");
  EXPECT_GT(active[0].last_scrape_ms, 0);
  EXPECT_EQ(active[1].health, TargetHealth::kDown);
  EXPECT_EQ(active[1].last_error, "connection refused");
  EXPECT_THAT(stored(store_, "x", 0), ElementsAre(HasSubstr(R"(x{instance="a", job="one"} 1@)")));
  EXPECT_EQ(manager_.metadata()[0].families.size(), 1u);
  EXPECT_THAT(manager_.pools(), ElementsAre("one"));
}

TEST_F(ScrapeManagerTest, AsksAsPrometheusDoes) {
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  pages_.wait_for("http://a/metrics");
  const net::ClientRequest request = pages_.last();
  EXPECT_THAT(std::string(request.headers.get("Accept")),
              testing::StartsWith("application/openmetrics-text;version=1.0.0;"));
  EXPECT_EQ(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds"), "0.02");
  EXPECT_EQ(request.timeout.count(), 20);
}

TEST_F(ScrapeManagerTest, WhatIsNoPageOfMetricsIsNamed) {
  const std::string url = "http://a/metrics";
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  const auto error_of = [&] {
    pages_.wait_for(url, 3);  // the second one's result is noted when the third is asked
    return only().last_error;
  };
  pages_.page(url, "<html></html>", "text/html; charset=utf-8");
  EXPECT_THAT(error_of(), HasSubstr("Content-Type \"text/html\""));
  pages_.page(url, "a 1", "");
  EXPECT_THAT(error_of(),
              HasSubstr("no Content-Type and the job sets no fallback_scrape_protocol"));
  EXPECT_EQ(only().health, TargetHealth::kDown);
  JobConfig falls_back = job("one");
  falls_back.fallback_protocol = ScrapeProtocol::kText004;
  manager_.apply({falls_back});
  pages_.page(url, "a 1", "application/x-metrics");
  EXPECT_EQ(error_of(), "");
  pages_.page(url, "a 1", "");
  EXPECT_EQ(error_of(), "");
  EXPECT_EQ(only().health, TargetHealth::kUp);
  pages_.page(url, "<html></html>", "text/html");
  EXPECT_THAT(error_of(), HasSubstr("HTML"));
  pages_.answer(url, net::Response::text(503, "no"));
  EXPECT_EQ(error_of(), "server returned HTTP status 503 Service Unavailable");
  pages_.page(url, "a b");
  EXPECT_THAT(error_of(), HasSubstr("line 1, column 3: not a number"));
  pages_.page(url, "a 1");
  EXPECT_EQ(error_of(), "");
}

TEST_F(ScrapeManagerTest, AnUnchangedTargetKeepsItsLoopAndSeries) {
  pages_.page("http://a/metrics", "x 1\n");
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  pages_.wait_for("http://a/metrics", 3);
  const int64_t before = only().last_scrape_ms;
  manager_.set_targets("one", group({"b", "a"}));
  manager_.apply({job("one")});
  EXPECT_EQ(manager_.active()[1].url, "http://a/metrics");
  EXPECT_GE(manager_.active()[1].last_scrape_ms, before);
  pages_.wait_for("http://a/metrics", 3);
  EXPECT_THAT(stored(store_, "x", 0), ElementsAre(testing::Not(HasSubstr("stale"))));
}

TEST_F(ScrapeManagerTest, AnUnchangedJobIsNotTouchedByAReload) {
  JobConfig full = job("one");
  full.relabel.push_back(*model::RelabelRule::create({.target_label = "x"}));
  full.http.basic_auth = net::BasicAuth{.username = "u"};
  manager_.apply({full, job("two")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  EXPECT_EQ(fetchers_, 2);
  manager_.apply({full, job("two")});
  EXPECT_EQ(fetchers_, 2) << "its connections stay";
  full.relabel[0] = *model::RelabelRule::create({.target_label = "y"});
  manager_.apply({full, job("two")});
  EXPECT_EQ(fetchers_, 3);
  full.http.basic_auth->username = "v";
  manager_.apply({full, job("two")});
  EXPECT_EQ(fetchers_, 4);
  manager_.apply({full});
  manager_.apply({full, job("two")});
  EXPECT_EQ(fetchers_, 5) << "a job that comes back is new";
  pages_.wait_for("http://a/metrics");
}

TEST_F(ScrapeManagerTest, ARemovedTargetEndsWithMarkers) {
  pages_.page("http://a/metrics", "x 1\n");
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  pages_.wait_for("http://a/metrics", 2);
  manager_.set_targets("one", group({"b"}));
  EXPECT_EQ(manager_.active().size(), 1u);
  EXPECT_TRUE(comes_true("http://b/metrics", [&] { return has_stale("x"); }));
  EXPECT_TRUE(has_stale("up"));
  EXPECT_EQ(stored(store_, "x", 0).size(), 1u);
}

TEST_F(ScrapeManagerTest, AMovedTargetHandsItsSeriesOver) {
  pages_.page("http://a/metrics", "x 1\ny 1\n");
  pages_.page("http://a/new", "x 2\n");
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a"}));
  manager_.start();
  pages_.wait_for("http://a/metrics", 2);
  manager_.set_targets(
      "one", {{"test", {Labels{{"__address__", "a"}, {"__metrics_path__", "/new"}}}, {}}});
  pages_.wait_for("http://a/new", 10);
  EXPECT_THAT(stored(store_, "x", 0), ElementsAre(testing::Not(HasSubstr("stale"))));
  EXPECT_THAT(stored(store_, "y", 0), ElementsAre(HasSubstr("stale")));
}

TEST_F(ScrapeManagerTest, TargetsOfTheSameLabelsAreEachTakenOver) {
  const std::vector<model::TargetGroup> two = {
      {"test",
       {Labels{{"__address__", "a"}, {"__metrics_path__", "/p"}},
        Labels{{"__address__", "a"}, {"__metrics_path__", "/q"}}},
       {}}};
  pages_.page("http://a/p", "x 1\n");
  pages_.page("http://a/q", "y 1\n");
  manager_.apply({job("one")});
  manager_.set_targets("one", two);
  manager_.start();
  pages_.wait_for("http://a/p", 2);
  pages_.wait_for("http://a/q", 2);
  JobConfig slower = job("one");
  slower.interval_ms = 30;
  manager_.apply({slower});
  EXPECT_TRUE(comes_true("http://a/p", [&] {
    return std::ranges::all_of(manager_.active(), [](const ActiveTarget& target) {
      return target.health == TargetHealth::kUp && target.interval_ms == 30;
    });
  }));
}

TEST_F(ScrapeManagerTest, StopCallsOffWhatHangsAndWritesNoMarkers) {
  pages_.page("http://a/metrics", "x 1\n");
  pages_.hang("http://b/metrics");
  manager_.apply({job("one")});
  manager_.set_targets("one", group({"a", "b"}));
  manager_.start();
  pages_.wait_for("http://a/metrics", 2);
  if (pages_.asked("http://b/metrics") == 0) pages_.wait_for("http://b/metrics");
  manager_.stop();
  EXPECT_THAT(stored(store_, "x", 0), ElementsAre(testing::Not(HasSubstr("stale"))));
  EXPECT_THAT(stored(store_, "up", 0), ElementsAre(HasSubstr("instance=\"a\"")));
}

TEST_F(ScrapeManagerTest, TooManyTargetsFailAll) {
  pages_.page("http://a/metrics", "x 1\n");
  JobConfig limited = job("one");
  limited.target_limit = 1;
  manager_.apply({limited, job("two")});
  manager_.set_targets("one", group({"a", "b"}));
  manager_.set_targets("two", group({"c"}));
  manager_.start();
  const std::string error = "target_limit exceeded (number of targets: 2, limit: 1)";
  EXPECT_TRUE(comes_true("http://c/metrics", [&] {
    return std::ranges::count(manager_.active(), error, &ActiveTarget::last_error) == 2;
  }));
  EXPECT_EQ(pages_.asked("http://a/metrics"), 0);
  EXPECT_THAT(stored(store_, "x", 0), IsEmpty());
  EXPECT_THAT(stored(store_, "up", 0), Contains(HasSubstr(R"(up{instance="a", job="one"} 0@)")));
}

TEST_F(ScrapeManagerTest, JobsComeAndGo) {
  manager_.start();
  manager_.set_targets("one", group({"a"}));
  EXPECT_THAT(manager_.active(), IsEmpty());
  manager_.apply({job("one"), job("two")});
  EXPECT_EQ(manager_.active().size(), 1u);
  pages_.wait_for("http://a/metrics");
  manager_.apply({job("two")});
  EXPECT_THAT(manager_.active(), IsEmpty());
  EXPECT_THAT(manager_.pools(), ElementsAre("two"));
}

}  // namespace
}  // namespace binnacle::collect::scrape
