#include "store/state/state_store.h"

#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <set>
#include <thread>

namespace binnacle::store::state {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Migration kRows = {900, "rows",
                         "CREATE TABLE rows(id INTEGER PRIMARY KEY, text TEXT NOT NULL)"};

TEST(StateStore, RowsAndMigrationsSurviveAReopen) {
  StateFixture state({kRows});
  ASSERT_TRUE(state.store->write([](Database& database) {
    return database.run("INSERT INTO rows(id, text) VALUES (1, 'kept')");
  }));
  state.reopen();
  ASSERT_TRUE(state.store->read([](Database& database) -> Status {
    EXPECT_EQ(*database.query_integer("SELECT count(*) FROM rows"), 1);
    EXPECT_EQ(*database.query_integer("SELECT count(*) FROM migrations WHERE number = 900"
                                      " AND name = 'rows' AND applied_ms > 0"),
              1);
    EXPECT_EQ(*database.query_integer("PRAGMA application_id"), 1114530147);
    return {};
  }));
}

TEST(StateStore, LaterRoomsAddTheirMigrations) {
  StateFixture state;
  state.migrations.push_back(kRows);
  state.migrations.push_back({50, "late, with a lower number", "CREATE TABLE late(id INTEGER)"});
  state.reopen();
  EXPECT_TRUE(state.store->write([](Database& database) -> Status {
    TRY(database.run("INSERT INTO late(id) VALUES (1)"));
    return database.run("INSERT INTO rows(id, text) VALUES (1, 'x')");
  }));
}

TEST(StateStore, ANewerFileIsRefusedWithBothNumbers) {
  StateFixture state({kRows});
  state.store.reset();
  state.migrations = with_state_migrations({});
  const auto refused = state.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("migration 900 (\"rows\")"), HasSubstr("up to 3"),
                    HasSubstr("run the newer binary")));
}

TEST(StateStore, AFailedMigrationLeavesNothingBehind) {
  StateFixture state;
  state.store.reset();
  state.migrations.push_back({60, "half", "CREATE TABLE half(id INTEGER); SELECT nonsense()"});
  const auto refused = state.open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("migration 60 (\"half\")"));
  state.migrations.back() = {60, "whole", "CREATE TABLE half(id INTEGER)"};
  EXPECT_TRUE(state.open());
}

TEST(StateStore, ASecondOwnerIsRefusedAndACommandBesideIsNot) {
  StateFixture state({kRows});
  const auto second = state.open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  auto beside = StateStore::open_beside({.path = state.path(), .migrations = state.migrations},
                                        state.system_clock, state.registry);
  ASSERT_TRUE(beside) << beside.error().message;
  ASSERT_TRUE((*beside)->write([](Database& database) {
    return database.run("INSERT INTO rows(id, text) VALUES (1, 'beside')");
  }));
  beside->reset();
  ASSERT_TRUE(state.store->read([](Database& database) -> Status {
    EXPECT_EQ(*database.query_integer("SELECT count(*) FROM rows"), 1);
    return {};
  }));
}

TEST(StateStore, ACommandOfAnotherVersionStaysOut) {
  StateFixture state;
  auto newer =
      StateStore::open_beside({.path = state.path(), .migrations = with_state_migrations({kRows})},
                              state.system_clock, state.registry);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().message, HasSubstr("restart the server"));
}

TEST(StateStore, AForeignDatabaseIsLeftAlone) {
  StateFixture state;
  state.store.reset();
  ASSERT_TRUE(real_file_system().remove(state.path()));
  {
    auto foreign = Database::open(state.path(), Database::Mode::kReadWriteCreate);
    ASSERT_TRUE(foreign->execute("CREATE TABLE theirs(id INTEGER)"));
  }
  const auto refused = state.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("not a Binnacle state file"));
}

// Flips bytes in the middle of the table's pages; the log beside the file tells that nobody closed
// it.
TEST(StateStore, DamageIsFoundAfterAnUncleanStop) {
  StateFixture state({kRows});
  ASSERT_TRUE(state.store->write([](Database& database) -> Status {
    for (int i = 0; i < 2000; ++i) {
      TRY(database.run("INSERT INTO rows(id, text) VALUES (?, ?)", i, std::string(100, 'x')));
    }
    return {};
  }));
  state.store.reset();
  FileSystem& files = real_file_system();
  std::string bytes = *files.read_file(state.path());
  ASSERT_GT(bytes.size(), size_t{100'000});
  bytes.replace(60'000, 20'000, std::string(20'000, '\xee'));
  ASSERT_TRUE(files.write_file_atomically(state.path(), bytes));
  ASSERT_TRUE(files.write_file_atomically(state.path() + "-wal", ""));
  const auto refused = state.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDataLoss);
  EXPECT_THAT(refused.error().message, HasSubstr("restore a backup"));
}

TEST(StateStore, ReadersSeeOneStateOverTheirStatements) {
  StateFixture state({kRows});
  ASSERT_TRUE(state.store->read([&](Database& database) -> Status {
    TRY_ASSIGN(const int64_t before, database.query_integer("SELECT count(*) FROM rows"));
    CHECK(state.store->write(
        [](Database& writer) { return writer.run("INSERT INTO rows(id, text) VALUES (1, 'x')"); }));
    TRY_ASSIGN(const int64_t after, database.query_integer("SELECT count(*) FROM rows"));
    EXPECT_EQ(before, after);
    return {};
  }));
}

TEST(StateStore, ReadersCannotWrite) {
  StateFixture state({kRows});
  const Status refused = state.store->read([](Database& database) {
    return database.run("INSERT INTO rows(id, text) VALUES (1, 'x')");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kPermissionDenied);
}

TEST(StateStore, WritableTellsOfAFullDiskOnceItsAnswerIsOld) {
  StateFixture state({kRows});
  SimulatedClock clock;
  state.store.reset();
  auto opened = StateStore::open({.path = state.path(), .migrations = state.migrations},
                                 real_file_system(), clock, state.registry);
  ASSERT_TRUE(opened);
  StateStore& store = **opened;
  EXPECT_TRUE(store.writable());
  // Query-only stands for every reason why the file takes no write.
  ASSERT_TRUE(
      store.write([](Database& database) { return database.execute("PRAGMA query_only = ON"); }));
  EXPECT_TRUE(store.writable());
  clock.advance_ms(5'000);
  EXPECT_FALSE(store.writable());
}

// As root permission bits bind nobody, so the child becomes someone else first.
TEST(StateStore, AReadOnlyFolderIsNamed) {
  TempFolder folder;
  const std::string path = folder.path() + "/state.db";
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
    Registry registry;
    SystemClock clock;
    const auto opened = StateStore::open({.path = path, .migrations = with_state_migrations({})},
                                         real_file_system(), clock, registry);
    const std::string said = opened ? "opened" : opened.error().message;
    (void)!write(pipe_ends[1], said.data(), said.size());
    _exit(0);
  }
  close(pipe_ends[1]);
  char said[1000];
  const ssize_t size = read(pipe_ends[0], said, sizeof(said));
  close(pipe_ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_GT(size, 0);
  EXPECT_THAT(std::string(said, static_cast<size_t>(size)),
              AllOf(HasSubstr(path), HasSubstr("Permission denied")));
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
}

// Writes rows 1, 2, 3, ... from several threads and tells each over the pipe once write() came
// back.
[[noreturn]] void write_until_killed(const std::string& path, int acknowledged) {
  Registry registry;
  SystemClock clock;
  auto store = StateStore::open({.path = path, .migrations = with_state_migrations({kRows})},
                                real_file_system(), clock, registry);
  if (!store) _exit(3);
  std::atomic<int64_t> next = 1;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (;;) {
        const int64_t id = next++;
        const Status status = (*store)->write([id](Database& database) {
          return database.run("INSERT INTO rows(id, text) VALUES (?, 'x')", id);
        });
        if (!status) _exit(4);
        // One write() of 8 bytes to a pipe is not torn.
        if (write(acknowledged, &id, sizeof(id)) != sizeof(id)) _exit(5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(0);
}

TEST(StateStore, NothingAcknowledgedIsLostToKill) {
  TempFolder folder;
  const std::string path = folder.path() + "/state.db";
  std::set<int64_t> told;
  for (int round = 0; round < 3; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(path + std::to_string(round), pipe_ends[1]);
    close(pipe_ends[1]);
    told.clear();
    int64_t id = 0;
    const size_t enough = 40 + static_cast<size_t>(round) * 37;
    while (told.size() < enough && read(pipe_ends[0], &id, sizeof(id)) == sizeof(id)) {
      told.insert(id);
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    while (read(pipe_ends[0], &id, sizeof(id)) == sizeof(id)) told.insert(id);
    close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    ASSERT_GE(told.size(), enough);

    Registry registry;
    SystemClock clock;
    auto store = StateStore::open(
        {.path = path + std::to_string(round), .migrations = with_state_migrations({kRows})},
        real_file_system(), clock, registry);
    ASSERT_TRUE(store) << store.error().message;
    std::set<int64_t> found;
    ASSERT_TRUE((*store)->read([&](Database& database) -> Status {
      TRY_ASSIGN(Statement rows, database.query("SELECT id FROM rows"));
      for (;;) {
        TRY_ASSIGN(const bool row, rows.step());
        if (!row) return {};
        found.insert(rows.integer(0));
      }
    }));
    for (const int64_t acknowledged : told)
      EXPECT_TRUE(found.contains(acknowledged)) << acknowledged;
    // At most one write of each thread was under way.
    EXPECT_LE(found.size(), told.size() + 4);
  }
}

}  // namespace
}  // namespace binnacle::store::state
