#include "store/metrics/commit_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace binnacle::store::metrics {
namespace {

TEST(CommitOrder, ASnapshotEndsBeforeTheOldestCommitInFlight) {
  CommitOrder order;
  EXPECT_EQ(order.snapshot(), 0u);
  const CommitNumber first = order.begin();
  EXPECT_LT(order.snapshot(), first);
  order.end(first);
  EXPECT_EQ(order.snapshot(), first);
  const CommitNumber second = order.begin();
  EXPECT_EQ(order.snapshot(), first);
  order.end(second);
  EXPECT_EQ(order.snapshot(), second);
}

TEST(CommitOrder, ALaterCommitWaitsForTheEarlierOne) {
  CommitOrder order;
  const CommitNumber first = order.begin();
  const CommitNumber second = order.begin();
  std::atomic<bool> first_over = false;
  std::thread later([&] {
    order.end(second);
    EXPECT_TRUE(first_over) << "told of its end before all before it were over";
    EXPECT_EQ(order.snapshot(), second);
  });
  EXPECT_LT(order.snapshot(), first);
  first_over = true;
  order.end(first);
  later.join();
}

// What a commit wrote must be seen by every snapshot taken after its end, and what is in flight by
// none.
TEST(CommitOrder, FourThreadsSeeWhatIsWholeAndNothingElse) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  CommitOrder order;
  std::vector<std::atomic<int>> state(kThreads * kEach + 2);  // 1: begun, 2: about to end
  std::atomic<bool> over = false;
  std::thread reader([&] {
    CommitNumber before = 0;
    while (!over) {
      const CommitNumber seen = order.snapshot();
      ASSERT_GE(seen, before) << "a snapshot goes back";
      before = seen;
      for (CommitNumber number = seen > 50 ? seen - 50 : 1; number <= seen; ++number)
        ASSERT_EQ(state[number], 2) << "commit " << number << " is not whole in " << seen;
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const CommitNumber number = order.begin();
        state[number] = 1;
        if (i % 7 == 0) std::this_thread::yield();
        state[number] = 2;
        order.end(number);
        ASSERT_GE(order.snapshot(), number) << "its own commit is not seen";
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  over = true;
  reader.join();
  EXPECT_EQ(order.snapshot(), static_cast<CommitNumber>(kThreads * kEach));
}

TEST(CommitOrder, WhileHeldNoCommitIsInFlight) {
  constexpr int kThreads = 4;
  CommitOrder order;
  std::atomic<int> in_flight = 0;
  std::atomic<int> commits = 0;
  std::atomic<bool> over = false;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&] {
      while (!over) {
        const CommitNumber number = order.begin();
        ++in_flight;
        ++commits;
        std::this_thread::yield();
        --in_flight;
        order.end(number);
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    {
      const CommitOrder::Hold hold(order);
      const int before = commits;
      EXPECT_EQ(in_flight, 0);
      std::this_thread::yield();
      EXPECT_EQ(commits, before);
    }
    for (const int seen = commits; commits == seen;) std::this_thread::yield();
  }
  over = true;
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace binnacle::store::metrics
