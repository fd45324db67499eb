#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace binnacle::store::state {
namespace {

using testing::HasSubstr;

const Migration kRows = {900, "rows",
                         "CREATE TABLE rows(id INTEGER PRIMARY KEY, text TEXT NOT NULL)"};

int64_t count_rows(StateStore& store) {
  int64_t rows = -1;
  CHECK(store.read([&](Database& database) -> Status {
    TRY_ASSIGN(rows, database.query_integer("SELECT count(*) FROM rows"));
    return {};
  }));
  return rows;
}

Status insert(Database& database, int64_t id, std::string_view text = "x") {
  return database.run("INSERT INTO rows(id, text) VALUES (?, ?)", id, text);
}

double commits(Registry& registry) {
  return registry
      .counter("binnacle_state_commits_total", "Transactions of the state store by result.",
               {{"result", "ok"}})
      .value();
}

// Holds the writer inside a write until released, so that what follows waits in the queue.
class HeldWriter {
 public:
  explicit HeldWriter(StateStore& store) {
    thread_ = std::thread([this, &store] {
      const Work hold = [this](Database&) -> Status {
        entered_.set_value();
        released_.get_future().wait();
        return {};
      };
      // On a busy machine the writer may come later than a short limit of the queue allows; it has
      // not run then.
      Status held = store.write(hold);
      while (!held && held.error().code == Code::kDeadlineExceeded) held = store.write(hold);
      CHECK(held);
    });
    entered_.get_future().wait();
  }
  ~HeldWriter() { release(); }
  void release() {
    if (!thread_.joinable()) return;
    released_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> entered_;
  std::promise<void> released_;
  std::thread thread_;
};

void await_queue(StateFixture& state, double length) {
  Gauge& queue = state.registry.gauge("binnacle_state_write_queue_length",
                                      "Writes that wait for the state store's writer.");
  while (queue.value() < length) std::this_thread::yield();
}

TEST(WriteQueue, WritesThatWaitTogetherShareOneCommitAndFailAlone) {
  StateFixture state({kRows});
  HeldWriter held(*state.store);
  constexpr int kThreads = 16;
  std::vector<std::thread> threads;
  std::vector<Status> results(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      results[i] = state.store->write([i](Database& database) -> Status {
        TRY(insert(database, i));
        if (i % 4 == 0) return fail(Code::kFailedPrecondition, "not wanted");
        return {};
      });
    });
  }
  await_queue(state, kThreads);
  const double before = commits(state.registry);
  held.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(commits(state.registry), before + 2);  // the held one and one for all sixteen
  for (int i = 0; i < kThreads; ++i) EXPECT_EQ(results[i].has_value(), i % 4 != 0) << i;
  EXPECT_EQ(count_rows(*state.store), kThreads * 3 / 4);
}

TEST(WriteQueue, ManyThreadsLoseNothing) {
  StateFixture state({kRows});
  constexpr int kThreads = 8, kWrites = 100;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        CHECK(state.store->write(
            [&](Database& database) { return insert(database, t * kWrites + i); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count_rows(*state.store), kThreads * kWrites);
}

TEST(WriteQueue, ConstraintErrorNamesTheStatementAndLeavesTheRest) {
  StateFixture state({kRows});
  ASSERT_TRUE(state.store->write([](Database& database) { return insert(database, 1); }));
  const Status twice = state.store->write([](Database& database) { return insert(database, 1); });
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::kAlreadyExists);
  EXPECT_THAT(twice.error().message, HasSubstr("INSERT INTO rows"));
  EXPECT_EQ(count_rows(*state.store), 1);
}

// SQLite ends the whole transaction by itself when the disk is full.
TEST(WriteQueue, FullDiskFailsTheLargeWriteAlone) {
  StateFixture state({kRows});
  ASSERT_TRUE(state.store->write([](Database& database) -> Status {
    TRY_ASSIGN(const int64_t pages, database.query_integer("PRAGMA page_count"));
    CHECK(pages < 64);
    return database.execute("PRAGMA max_page_count = 64");
  }));
  HeldWriter held(*state.store);
  std::vector<std::thread> threads;
  std::vector<Status> results(3);
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      results[i] = state.store->write([&, i](Database& database) {
        return insert(database, i, i == 1 ? std::string_view(large) : "small");
      });
    });
    await_queue(state, i + 1);
  }
  held.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().code, Code::kResourceExhausted);
  EXPECT_THAT(results[1].error().message, HasSubstr("free disk space"));
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(count_rows(*state.store), 2);
}

TEST(WriteQueue, FullQueueRefuses) {
  StateFixture state({kRows});
  state.limits.max_queued = 1;
  state.reopen();
  HeldWriter held(*state.store);
  std::thread waits(
      [&] { CHECK(state.store->write([](Database& database) { return insert(database, 1); })); });
  await_queue(state, 1);
  const Status refused = state.store->write([](Database& database) { return insert(database, 2); });
  held.release();
  waits.join();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(count_rows(*state.store), 1);
}

TEST(WriteQueue, WriteThatWaitsTooLongIsWithdrawn) {
  StateFixture state({kRows});
  state.limits.max_wait_ms = 1;
  state.reopen();
  HeldWriter held(*state.store);
  const Status late = state.store->write([](Database& database) { return insert(database, 1); });
  held.release();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(count_rows(*state.store), 0);
}

TEST(WriteQueue, CommitHookRunsBeforeTheWriterIsAnsweredAndNotAfterItsRemoval) {
  StateFixture state({kRows});
  std::atomic<int> calls = 0;
  const uint64_t id = state.store->add_commit_hook([&] { ++calls; });
  ASSERT_TRUE(state.store->write([](Database& database) { return insert(database, 1); }));
  EXPECT_EQ(calls, 1);
  state.store->remove_commit_hook(id);
  ASSERT_TRUE(state.store->write([](Database& database) { return insert(database, 2); }));
  EXPECT_EQ(calls, 1);
}

TEST(WriteQueueDeathTest, WriteInsideAWriteIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        StateFixture state({kRows});
        (void)state.store->write([&](Database&) {
          return state.store->write([](Database& inner) { return insert(inner, 1); });
        });
      },
      "CHECK failed");
}

}  // namespace
}  // namespace binnacle::store::state
