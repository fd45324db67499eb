#include "store/state/state_store.h"

#include "base/log.h"

#include <fmt/format.h>

#include <utility>

namespace binnacle::store::state {
namespace {

// "Bnac" at byte 68 of the file, where file(1) and our own check look.
constexpr int64_t kApplicationId = 1114530147;
constexpr int64_t kProbeValidMs = 3'000;
constexpr int64_t kProbeWaitMs = 2'000;

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// SQLite would make the file readable to all; its -wal and -shm take over the mode set here.
Status create_private(FileSystem& files, const std::string& path) {
  auto file = files.open_writable(path, FileSystem::Create::kAppend, 0600);
  if (!file) {
    return fail(std::move(file).error().with_context(
        "open state store (the data folder must be writable by this user)"));
  }
  TRY((*file)->close());
  return files.sync_dir(folder_of(path));
}

Status claim(Database& database) {
  TRY_ASSIGN(const int64_t id, database.query_integer("PRAGMA application_id"));
  if (id == kApplicationId) return {};
  TRY_ASSIGN(const int64_t tables, database.query_integer("SELECT count(*) FROM sqlite_schema"));
  if (id != 0 || tables != 0) {
    return fail(Code::kFailedPrecondition,
                fmt::format("open {}: not a Binnacle state file (application id {}); move it away "
                            "or choose another data folder",
                            database.path(), id));
  }
  return database.execute("PRAGMA application_id = 1114530147");
}

Status use_write_ahead_log(Database& database) {
  TRY_ASSIGN(Statement mode, database.query("PRAGMA journal_mode = WAL"));
  TRY(mode.step());
  if (mode.text(0) != "wal") {
    return fail(Code::kFailedPrecondition,
                fmt::format("open {}: this file system cannot hold a write-ahead log (journal "
                            "mode stays {}); put the data folder on a local disk",
                            database.path(), mode.text(0)));
  }
  return database.execute("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
}

Status check_integrity(Database& database) {
  TRY_ASSIGN(Statement check, database.query("PRAGMA quick_check(1)"));
  TRY(check.step());
  if (check.text(0) == "ok") return {};
  return fail(Code::kDataLoss,
              fmt::format("open {}: damaged: {}; restore a backup, or move the file away to start "
                          "afresh",
                          database.path(), check.text(0)));
}

// SQLite removes the log at the last close, so one that is still there is the mark of a crash.
bool was_left_open(FileSystem& files, const std::string& path) {
  return files.exists(path + "-wal");
}

Result<Database> prepare_writer(const StateOptions& options, FileSystem& files,
                                const Clock& clock) {
  const bool left_open = was_left_open(files, options.path);
  TRY(create_private(files, options.path));
  TRY_ASSIGN(Database database, Database::open(options.path, Database::Mode::kReadWriteCreate));
  TRY(claim(database));
  TRY(use_write_ahead_log(database));
  if (left_open) {
    const int64_t start_ms = clock.monotonic_ms();
    TRY(check_integrity(database));
    Log("state").info("checked the state store after an unclean stop",
                      {{"path", options.path}, {"duration_ms", clock.monotonic_ms() - start_ms}});
  }
  TRY(migrate(database, options.migrations, clock.wall_ms()));
  return database;
}

Status probe(Database& database, int64_t now_ms) {
  return database.run(
      "INSERT INTO write_probe(id, time_ms) VALUES (1, ?)"
      " ON CONFLICT(id) DO UPDATE SET time_ms = excluded.time_ms",
      now_ms);
}

}  // namespace

Result<std::unique_ptr<StateStore>> StateStore::open(StateOptions options, FileSystem& files,
                                                     const Clock& clock, Registry& registry) {
  TRY_ASSIGN(std::unique_ptr<FileLock> lock, files.lock(options.path + ".lock"));
  TRY_ASSIGN(Database writer, prepare_writer(options, files, clock));
  TRY_ASSIGN(std::unique_ptr<ReaderPool> readers,
             ReaderPool::open(options.path, options.readers, clock));
  return std::unique_ptr<StateStore>(new StateStore(std::move(options.path), std::move(lock),
                                                    std::move(readers), std::move(writer),
                                                    options.write_limits, clock, registry));
}

Result<std::unique_ptr<StateStore>> StateStore::open_beside(StateOptions options,
                                                            const Clock& clock,
                                                            Registry& registry) {
  TRY_ASSIGN(Database writer, Database::open(options.path, Database::Mode::kReadWrite));
  TRY(writer.execute("PRAGMA synchronous = FULL"));
  TRY(require_migrated(writer, options.migrations));
  TRY_ASSIGN(std::unique_ptr<ReaderPool> readers,
             ReaderPool::open(options.path, options.readers, clock));
  return std::unique_ptr<StateStore>(new StateStore(std::move(options.path), nullptr,
                                                    std::move(readers), std::move(writer),
                                                    options.write_limits, clock, registry));
}

StateStore::StateStore(std::string path, std::unique_ptr<FileLock> lock,
                       std::unique_ptr<ReaderPool> readers, Database writer, WriteLimits limits,
                       const Clock& clock, Registry& registry)
    : path_(std::move(path)),
      clock_(clock),
      lock_(std::move(lock)),
      writer_(std::move(writer), limits, clock, registry),
      readers_(std::move(readers)) {}

StateStore::~StateStore() = default;

Status StateStore::write(Work work) { return writer_.write(std::move(work)); }

Status StateStore::read(const std::function<Status(Database&)>& look) {
  return readers_->read(look);
}

Status StateStore::writable() {
  const int64_t now_ms = clock_.monotonic_ms();
  {
    MutexLock lock(probe_mu_);
    if (probed_at_ms_ != 0 && now_ms - probed_at_ms_ < kProbeValidMs) return probe_;
  }
  Status status = writer_.write_or_abandon(
      [wall_ms = clock_.wall_ms()](Database& database) { return probe(database, wall_ms); },
      kProbeWaitMs);
  MutexLock lock(probe_mu_);
  probed_at_ms_ = now_ms;
  probe_ = status;
  return status;
}

uint64_t StateStore::add_commit_hook(std::function<void()> hook) {
  return writer_.add_commit_hook(std::move(hook));
}

void StateStore::remove_commit_hook(uint64_t id) { writer_.remove_commit_hook(id); }

}  // namespace binnacle::store::state
