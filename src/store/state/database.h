// One SQLite connection and its statements, with errors as values that carry the statement.
// Owned by whoever opened it; one thread at a time. Statements must be gone before their Database
// is.
#pragma once

#include "base/error.h"
#include "store/state/sql.h"

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace binnacle::store::state {

class Database;

// Bytes that are not text: hashes, random ids.
struct Blob {
  std::string_view bytes;
};

// A prepared statement, lent from its connection's cache and given back when destroyed.
// A failed bind is reported by the next step().
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  // `index` counts from 1. Text and blobs are copied.
  void bind(int index, std::integral auto value) {
    bind_integer(index, static_cast<int64_t>(value));
  }
  void bind(int index, double value);
  void bind(int index, std::string_view text);
  void bind(int index, Blob blob);
  void bind(int index, std::nullopt_t);

  // True: a row to read. False: the end.
  Result<bool> step();
  // Steps to the end, whatever rows come.
  Status run();

  // Columns of the current row, from 0. SQLite converts where types differ; null reads as 0 or "".
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string blob(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* handle, const char* sql);
  void bind_integer(int index, int64_t value);
  void note_bind(int index, int rc);

  Database* database_;
  sqlite3_stmt* handle_;  // null once moved from
  const char* sql_;       // a literal; see Sql
  std::optional<Error> bind_error_;
};

class Database {
 public:
  enum class Mode : uint8_t { kReadWriteCreate, kReadWrite, kReadOnly };
  // Sets busy timeout and foreign keys; nothing is written.
  static Result<Database> open(const std::string& path, Mode mode);
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;

  // One or more statements without parameters: schema, pragmas, BEGIN.
  Status execute(Sql sql);

  Result<Statement> prepare(Sql sql);

  // Prepares and binds all parameters in order.
  template <typename... Args>
  Result<Statement> query(Sql sql, const Args&... args) {
    TRY_ASSIGN(Statement statement, prepare(sql));
    int index = 0;
    (statement.bind(++index, args), ...);
    return statement;
  }
  // The same, and steps to the end.
  template <typename... Args>
  Status run(Sql sql, const Args&... args) {
    TRY_ASSIGN(Statement statement, query(sql, args...));
    return statement.run();
  }
  // The first column of the first row; 0 when there is none.
  template <typename... Args>
  Result<int64_t> query_integer(Sql sql, const Args&... args) {
    TRY_ASSIGN(Statement statement, query(sql, args...));
    TRY_ASSIGN(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
  }

  int64_t last_insert_id() const;
  int64_t changes() const;  // rows touched by the last statement
  // SQLite ends a transaction by itself after a full disk or a failed read or write.
  bool in_transaction() const;

  const std::string& path() const { return path_; }

 private:
  friend class Statement;
  Database(sqlite3* handle, std::string path);
  Error error(int rc, std::string_view sql) const;
  void give_back(sqlite3_stmt* handle, const char* sql);

  sqlite3* handle_;  // null once moved from
  std::string path_;
  // Idle statements by their literal. Bounded by the number of literals in the program.
  std::multimap<std::string_view, sqlite3_stmt*> idle_;
};

}  // namespace binnacle::store::state
