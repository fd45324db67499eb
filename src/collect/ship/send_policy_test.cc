#include "collect/ship/send_policy.h"

#include <gtest/gtest.h>

#include "collect/ship/replay_throttle.h"

namespace binnacle::collect::ship {
namespace {

SendVerdict judged(int status, const std::string& retry_after = {}) {
  net::Response answer = net::Response::text(status, "why\nand more");
  if (!retry_after.empty()) answer.headers.set("Retry-After", retry_after);
  constexpr int64_t kNowMs = 784'111'770'000;  // 7 s before the date below
  return judge(answer, ShipperOptions{}, kNowMs);
}

TEST(SendPolicy, TellsRefusalsFromFailures) {
  for (const int status : {200, 202, 204})
    EXPECT_EQ(judged(status).outcome, SendOutcome::kOk) << status;
  for (const int status : {400, 409, 413, 422})
    EXPECT_EQ(judged(status).outcome, SendOutcome::kRefused) << status;
  for (const int status : {301, 401, 403, 404, 500, 502, 503, 504})
    EXPECT_EQ(judged(status).outcome, SendOutcome::kFailed) << status;
  EXPECT_EQ(judged(429).outcome, SendOutcome::kSlowed);
  EXPECT_EQ(judge(fail(Code::kUnavailable, "refused"), {}, 0).outcome, SendOutcome::kFailed);
  EXPECT_EQ(judged(400).words, "status 400: why");
}

TEST(SendPolicy, HonoursRetryAfterWithinBounds) {
  EXPECT_EQ(judged(429, "3").wait_ms, 3000);
  EXPECT_EQ(judged(503, "3").wait_ms, 3000);
  EXPECT_EQ(judged(503, "3").outcome, SendOutcome::kSlowed);
  EXPECT_EQ(judged(429, "Sun, 06 Nov 1994 08:49:37 GMT").wait_ms, 7000);
  EXPECT_EQ(judged(429, "Sun, 06 Nov 1984 08:49:37 GMT").wait_ms, 0);
  EXPECT_EQ(judged(429, "999999999999").wait_ms, ShipperOptions{}.max_retry_after_ms);
  EXPECT_EQ(judged(429, "soon").wait_ms, 0);
}

TEST(SendPolicy, BackoffDoublesWithJitterUpToItsMost) {
  ShipperOptions options;
  options.min_backoff_ms = 100;
  options.max_backoff_ms = 1000;
  SeededRandom random(1);
  Backoff backoff(options, random);
  for (const int64_t most : {100, 200, 400, 800, 1000, 1000}) {
    const int64_t wait = backoff.next_ms();
    EXPECT_LE(wait, most);
    EXPECT_GE(wait, most / 2);
  }
}

TEST(ReplayThrottle, HoldsAReplayToItsRate) {
  ReplayThrottle throttle(1000);
  EXPECT_EQ(throttle.wait_ms(1, true, 0), 0);
  throttle.spent(1500);
  EXPECT_EQ(throttle.wait_ms(1, true, 0), 500);
  EXPECT_EQ(throttle.wait_ms(600, true, 0), 0);
  throttle.spent(1100);
  EXPECT_EQ(throttle.wait_ms(601, false, 0), 0) << "only a replay is held";
  EXPECT_EQ(throttle.wait_ms(602, true, 0), 0);
  throttle.spent(11'000);
  EXPECT_LE(throttle.wait_ms(602, true, 5000), 1001) << "twice what comes in goes through";
  ReplayThrottle none(0);
  none.spent(1'000'000);
  EXPECT_EQ(none.wait_ms(1, true, 0), 0);
}

}  // namespace
}  // namespace binnacle::collect::ship
