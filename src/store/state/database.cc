#include "store/state/database.h"

#include "base/check.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace binnacle::store::state {
namespace {

// The only other writer can be a tool that opened the file without asking for its lock.
constexpr int kBusyTimeoutMs = 5'000;

Code code_of(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return Code::kAlreadyExists;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
      return Code::kInvalidArgument;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_FULL:
      return Code::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return Code::kPermissionDenied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    case SQLITE_CONSTRAINT:
      return Code::kFailedPrecondition;
    case SQLITE_TOOBIG:
      return Code::kOutOfRange;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

std::string_view advice(int extended) {
  switch (extended & 0xff) {
    case SQLITE_FULL:
      return "; free disk space";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "; the data folder must be writable by this user";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; restore a backup, or move the file away to start afresh";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another program holds the file";
    default:
      return "";
  }
}

Error sqlite_error(int rc, std::string_view message, std::string_view path, std::string_view sql) {
  const std::string what = sql.empty() ? std::string("open") : fmt::format("`{:.120}`", sql);
  return Error{code_of(rc),
               fmt::format("state store {}: {}: {}{}", path, what, message, advice(rc))};
}

int open_flags(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::kReadWriteCreate:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Mode::kReadWrite:
      return SQLITE_OPEN_READWRITE;
    case Database::Mode::kReadOnly:
      return SQLITE_OPEN_READONLY;
  }
  CHECK(false);
}

}  // namespace

Statement::Statement(Database& database, sqlite3_stmt* handle, const char* sql)
    : database_(&database), handle_(handle), sql_(sql) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      handle_(std::exchange(other.handle_, nullptr)),
      sql_(other.sql_),
      bind_error_(std::move(other.bind_error_)) {}

Statement::~Statement() {
  if (handle_ != nullptr) database_->give_back(handle_, sql_);
}

void Statement::note_bind(int index, int rc) {
  if (rc == SQLITE_OK || bind_error_) return;
  bind_error_ = database_->error(rc, sql_).with_context(fmt::format("bind parameter {}", index));
}

void Statement::bind_integer(int index, int64_t value) {
  note_bind(index, sqlite3_bind_int64(handle_, index, value));
}

void Statement::bind(int index, double value) {
  note_bind(index, sqlite3_bind_double(handle_, index, value));
}

void Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL, not the empty text.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  note_bind(index,
            sqlite3_bind_text64(handle_, index, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int index, Blob blob) {
  const char* bytes = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  note_bind(index, sqlite3_bind_blob64(handle_, index, bytes, blob.bytes.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int index, std::nullopt_t) {
  note_bind(index, sqlite3_bind_null(handle_, index));
}

Result<bool> Statement::step() {
  if (bind_error_) return fail(*bind_error_);
  const int rc = sqlite3_step(handle_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return fail(database_->error(rc, sql_));
}

Status Statement::run() {
  for (;;) {
    TRY_ASSIGN(const bool row, step());
    if (!row) return {};
  }
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

std::string Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  // NOMUTEX: one thread at a time uses a connection, by contract.
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | open_flags(mode);
  sqlite3* handle = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (rc != SQLITE_OK) {
    Error error =
        sqlite_error(rc, handle != nullptr ? sqlite3_errmsg(handle) : "out of memory", path, "");
    sqlite3_close_v2(handle);
    return fail(std::move(error));
  }
  Database database(handle, path);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  TRY(database.execute("PRAGMA foreign_keys = ON"));
  return database;
}

Database::Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      path_(std::move(other.path_)),
      idle_(std::move(other.idle_)) {
  other.idle_.clear();
}

Database::~Database() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  if (handle_ != nullptr) CHECK(sqlite3_close(handle_) == SQLITE_OK);
}

Error Database::error(int rc, std::string_view sql) const {
  return sqlite_error(rc, sqlite3_errmsg(handle_), path_, sql);
}

Status Database::execute(Sql sql) {
  const int rc = sqlite3_exec(handle_, sql.text(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(error(rc, sql.text()));
  return {};
}

Result<Statement> Database::prepare(Sql sql) {
  if (const auto it = idle_.find(sql.text()); it != idle_.end()) {
    Statement statement(*this, it->second, sql.text());
    idle_.erase(it);
    return statement;
  }
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int rc =
      sqlite3_prepare_v3(handle_, sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  if (rc != SQLITE_OK) return fail(error(rc, sql.text()));
  CHECK(handle != nullptr && *tail == '\0');  // one statement to a prepare()
  return Statement(*this, handle, sql.text());
}

void Database::give_back(sqlite3_stmt* handle, const char* sql) {
  // The outcome was told by step(); reset only repeats it.
  (void)sqlite3_reset(handle);
  sqlite3_clear_bindings(handle);
  idle_.emplace(sql, handle);
}

int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
int64_t Database::changes() const { return sqlite3_changes64(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

}  // namespace binnacle::store::state
