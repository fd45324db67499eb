#include "watch/health/check_runner.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <stdexcept>
#include <vector>

#include "net/wakeup.h"

namespace binnacle::watch::health {
namespace {

using std::chrono::milliseconds;
constexpr int64_t kLongMs = 20'000;

// What the runner's sink heard, and a way to wait for it.
class Heard {
 public:
  void operator()(const std::string& name, const Reading& reading) {
    const MutexLock lock(mu_);
    readings_[name].push_back(reading);
    changed_.notify_all();
  }
  std::vector<Reading> wait(const std::string& name, size_t count) {
    const MutexLock lock(mu_);
    while (readings_[name].size() < count) {
      if (!changed_.wait_for_ms(mu_, kLongMs)) break;
    }
    EXPECT_GE(readings_[name].size(), count) << name;
    return readings_[name];
  }
  size_t count(const std::string& name) {
    const MutexLock lock(mu_);
    return readings_[name].size();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::map<std::string, std::vector<Reading>> readings_ GUARDED_BY(mu_);
};

// Hangs while it is told to, counting the runs that overlap.
class FakeCheck final : public Check {
 public:
  struct Knobs {
    std::atomic<bool> hang = false;
    std::atomic<bool> throws = false;
    std::atomic<int> inside = 0;
    std::atomic<int> most_inside = 0;
    std::atomic<int> runs = 0;
    std::atomic<int> alive = 0;
  };
  explicit FakeCheck(Knobs& knobs) : knobs_(knobs) { ++knobs_.alive; }
  ~FakeCheck() override { --knobs_.alive; }

  boost::asio::awaitable<Reading> run(milliseconds) override {
    ++knobs_.runs;
    knobs_.most_inside = std::max(knobs_.most_inside.load(), ++knobs_.inside);
    net::Wakeup pause(co_await boost::asio::this_coro::executor);
    while (knobs_.hang) co_await pause.wait_for(milliseconds(1));
    --knobs_.inside;
    if (knobs_.throws) throw std::runtime_error("oh");
    Reading reading;
    reading.health = Health::kHealthy;
    reading.message = "fine";
    co_return reading;
  }

 private:
  Knobs& knobs_;
};

class CheckRunnerTest : public testing::Test {
 protected:
  CheckRunnerTest() { io_.start(); }
  ~CheckRunnerTest() override {
    for (auto& [name, knobs] : knobs_) knobs.hang = false;
    runner_.stop();
    io_.stop();
  }

  void put(const std::string& name, int64_t interval_ms = 5, int64_t timeout_ms = 20) {
    CheckSpec spec;
    spec.name = name;
    spec.interval_ms = interval_ms;
    spec.timeout_ms = timeout_ms;
    runner_.put(spec, std::make_unique<FakeCheck>(knobs_[name]));
  }

  std::map<std::string, FakeCheck::Knobs> knobs_;
  SystemClock clock_;
  Registry registry_;
  Heard heard_;
  net::IoThreads io_{2};
  CheckRunner runner_{io_,
                      clock_,
                      registry_,
                      [this](const std::string& name, const Reading& r) { heard_(name, r); },
                      {.first_runs_within = milliseconds(5), .grace = milliseconds(10)}};
};

TEST_F(CheckRunnerTest, RunsEachOnItsInterval) {
  put("a");
  put("b", 1000'000);
  runner_.start();
  put("c");  // while it runs
  EXPECT_EQ(heard_.wait("a", 5)[4].message, "fine");
  heard_.wait("c", 5);
  EXPECT_LE(heard_.wait("b", 1).size(), 1U);
  EXPECT_GE(runner_.counts("a").runs, 5U);
}

TEST_F(CheckRunnerTest, AHangingCheckIsJudgedNeverRunsTwiceAndHoldsUpNoOther) {
  put("good");
  put("hangs");
  knobs_["hangs"].hang = true;
  runner_.start();
  const auto readings = heard_.wait("hangs", 4);
  EXPECT_EQ(readings[0].health, Health::kFailed);
  EXPECT_NE(readings[0].message.find("did not end within 20ms"), std::string::npos)
      << readings[0].message;
  heard_.wait("good", heard_.count("good") + 5);
  EXPECT_EQ(knobs_["hangs"].most_inside, 1);
  EXPECT_EQ(runner_.counts("hangs").timeouts, 1U);
  EXPECT_GE(runner_.counts("hangs").skipped, 3U);
  EXPECT_EQ(runner_.run_now("hangs").error().code, Code::kFailedPrecondition);
  knobs_["hangs"].hang = false;
  const size_t seen = heard_.count("hangs");
  EXPECT_EQ(heard_.wait("hangs", seen + 3).back().health, Health::kHealthy);
  EXPECT_EQ(knobs_["hangs"].most_inside, 1);
}

TEST_F(CheckRunnerTest, RunsNowWhenAsked) {
  put("a", 3'600'000);
  runner_.start();
  heard_.wait("a", 1);
  EXPECT_EQ(runner_.run_now("b").error().code, Code::kNotFound);
  // The run that was just heard of may still be ending.
  while (!runner_.run_now("a")) continue;
  heard_.wait("a", 2);
}

TEST_F(CheckRunnerTest, WhatIsRemovedOrReplacedIsHeardNoMore) {
  put("a");
  put("b");
  runner_.start();
  heard_.wait("a", 2);
  runner_.remove("a");
  heard_.wait("b", heard_.count("b") + 2);
  const size_t seen = heard_.count("a");
  heard_.wait("b", heard_.count("b") + 5);
  EXPECT_LE(heard_.count("a"), seen + 1);  // one may have been on its way
  put("b", 7);
  heard_.wait("b", heard_.count("b") + 5);
  runner_.stop();
  const size_t last = heard_.count("b");
  io_.stop();
  EXPECT_EQ(heard_.count("b"), last);
}

TEST_F(CheckRunnerTest, ACheckThatBreaksOffIsUnknown) {
  knobs_["a"].throws = true;
  put("a");
  runner_.start();
  const auto readings = heard_.wait("a", 2);
  EXPECT_EQ(readings[1].health, Health::kUnknown);
  EXPECT_EQ(readings[1].message, "the check broke off: oh");
}

}  // namespace
}  // namespace binnacle::watch::health
