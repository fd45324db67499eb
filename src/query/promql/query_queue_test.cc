#include "query/promql/query_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <semaphore>

namespace binnacle::query::promql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Notes in which order queries come to their turn; the first one holds the only thread until
// go_on().
class QueryQueueTest : public testing::Test {
 protected:
  void hold() {
    queue_.submit("holder", [this](const Status&) {
      held_.release();
      go_on_.acquire();
    });
    held_.acquire();
  }
  void go_on() { go_on_.release(); }

  void submit(const std::string& caller, const std::string& name) {
    ++submitted_;
    queue_.submit(caller, [this, name](const Status& admitted) {
      const std::lock_guard lock(mu_);
      if (admitted) {
        order_.push_back(name);
      } else {
        refused_.push_back(name + ": " + admitted.error().message);
        code_ = admitted.error().code;
      }
      over_.release();
    });
  }
  void wait_for_all() {
    for (; submitted_ > 0; --submitted_) over_.acquire();
  }

  SimulatedClock clock_;
  Registry registry_;
  std::mutex mu_;
  std::vector<std::string> order_;
  std::vector<std::string> refused_;
  Code code_ = Code::kInternal;
  size_t submitted_ = 0;
  std::counting_semaphore<> over_{0};
  std::binary_semaphore held_{0};
  std::binary_semaphore go_on_{0};
  QueryQueue queue_{
      {.max_concurrency = 1, .max_queued = 4, .max_wait_ms = 1000}, clock_, registry_};
};

TEST_F(QueryQueueTest, CallersTakeTurns) {
  hold();
  submit("a", "a1");
  submit("a", "a2");
  submit("a", "a3");
  submit("b", "b1");
  EXPECT_EQ(queue_.queued(), 4u);
  go_on();
  wait_for_all();
  EXPECT_THAT(order_, ElementsAre("a1", "b1", "a2", "a3"));
}

TEST_F(QueryQueueTest, AFullQueueRefusesWhoHasMostInIt) {
  hold();
  for (const char* name : {"a1", "a2", "a3", "a4"}) submit("a", name);
  submit("b", "b1");
  EXPECT_THAT(refused_, ElementsAre(HasSubstr("a4: too many queries wait (4, query.max_queued)")));
  EXPECT_EQ(code_, Code::kUnavailable);
  submit("a", "a5");
  EXPECT_THAT(refused_, ElementsAre(HasSubstr("a4"), HasSubstr("a5")));
  go_on();
  wait_for_all();
  EXPECT_THAT(order_, ElementsAre("a1", "b1", "a2", "a3"));
}

TEST_F(QueryQueueTest, TheWaitIsBounded) {
  hold();
  submit("a", "old");
  clock_.advance_ms(600);
  submit("a", "new");
  clock_.advance_ms(500);
  queue_.expire();
  EXPECT_THAT(refused_, ElementsAre(HasSubstr("old: query timed out in query queue: no turn within "
                                              "1 s (query.queue_timeout)")));
  EXPECT_EQ(code_, Code::kDeadlineExceeded);
  go_on();
  wait_for_all();
  EXPECT_THAT(order_, ElementsAre("new"));
}

TEST_F(QueryQueueTest, StopRefusesWhatWaits) {
  hold();
  submit("a", "a1");
  go_on();
  queue_.stop();
  submit("a", "late");
  wait_for_all();
  EXPECT_EQ(order_.size() + refused_.size(), 2u);
  EXPECT_THAT(refused_.back(), HasSubstr("the server is ending"));
}

TEST(QueryQueue, SoManyRunAtATime) {
  SimulatedClock clock;
  Registry registry;
  std::latch together(3);  // would wait for ever were one of them not run beside the others
  QueryQueue queue({.max_concurrency = 3, .max_queued = 10, .max_wait_ms = 1000}, clock, registry);
  for (int i = 0; i < 3; ++i) queue.submit("a", [&](const Status&) { together.arrive_and_wait(); });
  together.wait();
}

}  // namespace
}  // namespace binnacle::query::promql
