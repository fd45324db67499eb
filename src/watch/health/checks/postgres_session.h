// A connection to PostgreSQL for as long as one check runs: libpq speaks the protocol, the I/O
// thread waits for its socket, so that a server that hangs holds no thread. Names are resolved
// here, because libpq would block on them. One coroutine at a time.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "net/deadline.h"
#include "net/dial.h"

struct pg_conn;

namespace binnacle::watch::health {

struct Libpq;

struct PostgresSettings {
  net::HostPort address;
  std::string socket_folder;  // not empty: there instead
  std::string user = "postgres";
  std::string password;
  std::string password_file;
  std::string database = "postgres";
  std::string sslmode = "prefer";  // libpq's words
  std::string ca_file;             // for sslmode verify-ca and verify-full
};

// The first value of the first row; nullopt: no row, or NULL.
using PostgresValue = std::optional<std::string>;

class PostgresSession {
 public:
  // `deadline` outlives the session. kUnauthenticated: the server refused us, in its own words;
  // kUnavailable, kDeadlineExceeded.
  static boost::asio::awaitable<Result<std::unique_ptr<PostgresSession>>> connect(
      const PostgresSettings& settings, FileSystem& files, net::Deadline& deadline);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  // Of the transaction: nothing is changed, and no statement runs longer.
  boost::asio::awaitable<Status> begin_read_only(std::chrono::milliseconds statement_timeout);
  // One statement. kFailedPrecondition: the server's error; kInvalidArgument: too many rows, and
  // the session is of no more use.
  boost::asio::awaitable<Result<PostgresValue>> query(const std::string& statement);

  int server_version() const;  // 150004

 private:
  PostgresSession(const Libpq& libpq, pg_conn* connection, net::Deadline& deadline)
      : libpq_(libpq), connection_(connection), deadline_(deadline) {}
  boost::asio::awaitable<Status> wait(bool for_writing);
  boost::asio::awaitable<Status> log_in();
  boost::asio::awaitable<Status> flush();
  std::string said() const;  // libpq's last message

  const Libpq& libpq_;
  pg_conn* const connection_;
  net::Deadline& deadline_;
};

}  // namespace binnacle::watch::health
