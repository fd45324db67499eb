// For tests of checks: reads a text of checks as a file's and runs them on the test's own loop.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "net/coroutine_test_loop.h"
#include "net/io_threads.h"
#include "watch/health/check_factory.h"

namespace binnacle::watch::health {

class CheckTest : public testing::Test {
 protected:
  ~CheckTest() override { pool_.stop(); }

  CheckTools tools() { return {io_, real_file_system(), clock_, pool_, store_}; }

  Result<std::vector<ConfiguredCheck>> read(const std::string& yaml, bool may_execute = true) {
    return read_checks("checks.yml", yaml, tools(), may_execute);
  }
  // All that is wrong with a text, a line each; "" when nothing is.
  std::string problems(const std::string& yaml, bool may_execute = true) {
    const auto checks = read(yaml, may_execute);
    return checks ? "" : checks.error().message;
  }

  std::unique_ptr<Check> make(const std::string& kind, const std::string& settings) {
    auto checks =
        read("checks: [{name: it, type: " + kind + ", " + kind + ": {" + settings + "}}]");
    if (!checks) ADD_FAILURE() << checks.error().message;
    CHECK(checks.has_value());
    return std::move(checks->front().check);
  }
  Reading run(Check& check, int64_t timeout_ms = 10'000) {
    return loop_.run(check.run(std::chrono::milliseconds(timeout_ms)));
  }
  // One check of that kind with those settings, in YAML's short form.
  Reading run(const std::string& kind, const std::string& settings, int64_t timeout_ms = 10'000) {
    const auto check = make(kind, settings);
    return run(*check, timeout_ms);
  }

  net::TestLoop loop_;
  net::IoThreads io_{1};
  SystemClock clock_;
  ThreadPool pool_{"checks", 2, 64};
  model::Queryable* store_ = nullptr;
};

// "degraded: message"
inline std::string text_of(const Reading& reading) {
  return std::string(health_name(reading.health)) + ": " + reading.message;
}

}  // namespace binnacle::watch::health
