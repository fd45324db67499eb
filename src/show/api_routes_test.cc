#include "show/api_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

namespace binnacle::show {
namespace {

using testing::HasSubstr;

// What is said of a request when its turn comes.
Status turn_of(QueryRequests& requests, const net::Request& request) {
  std::binary_semaphore over(0);
  Status told;
  requests.post(request, [&](const Status& admitted) {
    told = admitted;
    over.release();
  });
  over.acquire();
  return told;
}

TEST(QueryRequests, WhoLeftWhileWaitingHasNoTurn) {
  SimulatedClock clock;
  Registry registry;
  query::promql::QueryQueue queue({.max_concurrency = 1}, clock, registry);
  QueryRequests requests(queue);
  std::atomic<bool> gone = false;
  net::Request request;
  EXPECT_TRUE(turn_of(requests, request));
  request.cancelled = &gone;
  EXPECT_TRUE(turn_of(requests, request));
  gone = true;
  const Status told = turn_of(requests, request);
  ASSERT_FALSE(told);
  const net::Response response = requests.refusal(told.error());
  EXPECT_EQ(response.status, 499);
  EXPECT_THAT(response.body, HasSubstr(R"("errorType":"canceled")"));
}

TEST(QueryRequests, RefusalsAreInPrometheusShape) {
  SimulatedClock clock;
  Registry registry;
  query::promql::QueryQueue queue({.max_concurrency = 1}, clock, registry);
  QueryRequests requests(queue);
  queue.stop();
  const Status told = turn_of(requests, {});
  ASSERT_FALSE(told);
  const net::Response response = requests.refusal(told.error());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.get("retry-after"), "1");
  EXPECT_THAT(response.body, HasSubstr(R"("errorType":"unavailable")"));
}

}  // namespace
}  // namespace binnacle::show
