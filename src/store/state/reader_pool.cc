#include "store/state/reader_pool.h"

#include "base/check.h"

#include <fmt/format.h>

#include <utility>

namespace binnacle::store::state {
namespace {

constexpr int64_t kMaxWaitMs = 10'000;

Status read_one_state(Database& database, const std::function<Status(Database&)>& look) {
  TRY(database.execute("BEGIN"));
  Status status = look(database);
  if (database.in_transaction()) TRY(database.execute("ROLLBACK"));
  return status;
}

}  // namespace

Result<std::unique_ptr<ReaderPool>> ReaderPool::open(const std::string& path, size_t connections,
                                                     const Clock& clock) {
  CHECK(connections > 0);
  std::vector<std::unique_ptr<Database>> idle;
  for (size_t i = 0; i < connections; ++i) {
    TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kReadOnly));
    idle.push_back(std::make_unique<Database>(std::move(database)));
  }
  return std::unique_ptr<ReaderPool>(new ReaderPool(std::move(idle), clock));
}

ReaderPool::ReaderPool(std::vector<std::unique_ptr<Database>> connections, const Clock& clock)
    : clock_(clock), idle_(std::move(connections)) {}

Status ReaderPool::read(const std::function<Status(Database&)>& look) {
  TRY_ASSIGN(std::unique_ptr<Database> connection, borrow());
  Status status = read_one_state(*connection, look);
  give_back(std::move(connection));
  return status;
}

Result<std::unique_ptr<Database>> ReaderPool::borrow() {
  const int64_t deadline_ms = clock_.monotonic_ms() + kMaxWaitMs;
  MutexLock lock(mu_);
  while (idle_.empty()) {
    const int64_t left_ms = deadline_ms - clock_.monotonic_ms();
    if (left_ms <= 0) {
      return fail(Code::kUnavailable,
                  fmt::format("read state store: all connections were busy for {} ms; try again "
                              "later",
                              kMaxWaitMs));
    }
    returned_.wait_for_ms(mu_, left_ms);
  }
  std::unique_ptr<Database> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ReaderPool::give_back(std::unique_ptr<Database> connection) {
  {
    MutexLock lock(mu_);
    idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace binnacle::store::state
