#include "watch/health/checks/postgres_session.h"

#include <fmt/format.h>

#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/oauth2_token.h"
#include "watch/health/checks/libpq.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using std::chrono::milliseconds;

constexpr size_t kMaxRows = 1'000;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

using ResultPtr = std::unique_ptr<PGresult, decltype(Libpq::PQclear)>;

Unexpected too_late() { return fail(Code::kDeadlineExceeded, "PostgreSQL: no answer in time"); }

// libpq wants as many hosts and ports as there are addresses.
struct Where {
  std::string host;
  std::string addresses;
  std::string port;
};

asio::awaitable<Result<Where>> find(const PostgresSettings& settings, net::Deadline& deadline) {
  Where out;
  if (!settings.socket_folder.empty()) {
    out.host = settings.socket_folder;
    out.port = std::to_string(settings.address.port);
    co_return out;
  }
  const auto addresses = co_await net::resolve_addresses(settings.address.host, deadline);
  if (!addresses) co_return fail(addresses.error());
  for (const std::string& address : *addresses) {
    const char* comma = out.host.empty() ? "" : ",";
    out.host += comma + settings.address.host;
    out.addresses += comma + address;
    out.port += comma + std::to_string(settings.address.port);
  }
  co_return out;
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<PostgresSession>>> PostgresSession::connect(
    const PostgresSettings& settings, FileSystem& files, net::Deadline& deadline) {
  const auto libpq = load_libpq();
  if (!libpq) co_return fail(libpq.error());
  const auto where = co_await find(settings, deadline);
  if (!where) co_return fail(where.error());
  std::string password = settings.password;
  if (!settings.password_file.empty()) {
    auto read = net::read_secret_file(files, settings.password_file);
    if (!read) co_return fail(std::move(read).error());
    password = std::move(*read);
  }
  // An empty value counts as not given; passfile keeps libpq from looking into a
  // home folder.
  const std::array<const char*, 13> names{
      "host",    "hostaddr",    "port",     "user",       "password",         "dbname",
      "sslmode", "sslrootcert", "passfile", "gssencmode", "application_name", "client_encoding",
      nullptr};
  const std::array<const char*, 13> values{where->host.c_str(),
                                           where->addresses.c_str(),
                                           where->port.c_str(),
                                           settings.user.c_str(),
                                           password.c_str(),
                                           settings.database.c_str(),
                                           settings.sslmode.c_str(),
                                           settings.ca_file.c_str(),
                                           "/dev/null/none",
                                           "disable",
                                           "binnacle",
                                           "UTF8",
                                           nullptr};
  PGconn* connection = (*libpq)->PQconnectStartParams(names.data(), values.data(), 0);
  if (connection == nullptr) co_return fail(Code::kResourceExhausted, "PostgreSQL: no memory");
  std::unique_ptr<PostgresSession> session(new PostgresSession(**libpq, connection, deadline));
  const auto in = co_await session->log_in();
  if (!in) co_return fail(in.error());
  co_return session;
}

PostgresSession::~PostgresSession() { libpq_.PQfinish(connection_); }

std::string PostgresSession::said() const {
  return one_line(libpq_.PQerrorMessage(connection_), 300);
}

int PostgresSession::server_version() const { return libpq_.PQserverVersion(connection_); }

asio::awaitable<Status> PostgresSession::wait(bool for_writing) {
  // libpq may go on with another socket at each step, and closes it itself.
  stream_descriptor socket(co_await asio::this_coro::executor, libpq_.PQsocket(connection_));
  deadline_.on_expiry([&socket] { socket.cancel(); });
  if (!deadline_.expired()) {
    co_await socket.async_wait(
        for_writing ? stream_descriptor::wait_write : stream_descriptor::wait_read, kAwait);
  }
  deadline_.on_expiry(nullptr);
  socket.release();
  if (deadline_.expired()) co_return too_late();
  co_return Status();
}

asio::awaitable<Status> PostgresSession::log_in() {
  if (libpq_.PQstatus(connection_) == CONNECTION_BAD) co_return fail(Code::kUnavailable, said());
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step == PGRES_POLLING_WRITING || step == PGRES_POLLING_READING) {
    if (auto ready = co_await wait(step == PGRES_POLLING_WRITING); !ready) co_return ready;
    step = libpq_.PQconnectPoll(connection_);
  }
  if (step == PGRES_POLLING_OK) {
    libpq_.PQsetnonblocking(connection_, 1);
    co_return Status();
  }
  const std::string why = said();
  // The server's own words: it is there, and does not want us.
  const bool answered = why.find("FATAL:") != std::string::npos;
  co_return fail(answered ? Code::kUnauthenticated : Code::kUnavailable, why);
}

asio::awaitable<Status> PostgresSession::flush() {
  while (true) {
    const int left = libpq_.PQflush(connection_);
    if (left < 0) co_return fail(Code::kUnavailable, said());
    if (left == 0) co_return Status();
    if (auto ready = co_await wait(true); !ready) co_return ready;
  }
}

asio::awaitable<Status> PostgresSession::begin_read_only(milliseconds statement_timeout) {
  const auto begun = co_await query("BEGIN READ ONLY");
  if (!begun) co_return fail(begun.error());
  const auto set =
      co_await query(fmt::format("SET LOCAL statement_timeout = {}", statement_timeout.count()));
  if (!set) co_return fail(set.error());
  co_return Status();
}

// By the extended protocol, which takes one statement only: nothing ends the transaction and goes
// on behind it.
asio::awaitable<Result<PostgresValue>> PostgresSession::query(const std::string& statement) {
  const bool sent = libpq_.PQsendQueryParams(connection_, statement.c_str(), 0, nullptr, nullptr,
                                             nullptr, nullptr, 0) == 1 &&
                    libpq_.PQsetSingleRowMode(connection_) == 1;
  if (!sent) co_return fail(Code::kUnavailable, said());
  if (auto out = co_await flush(); !out) co_return fail(out.error());
  PostgresValue value;
  for (size_t rows = 0;;) {
    while (libpq_.PQisBusy(connection_) == 1) {
      if (auto ready = co_await wait(false); !ready) co_return fail(ready.error());
      if (libpq_.PQconsumeInput(connection_) != 1) co_return fail(Code::kUnavailable, said());
    }
    const ResultPtr result(libpq_.PQgetResult(connection_), libpq_.PQclear);
    if (!result) co_return value;
    switch (libpq_.PQresultStatus(result.get())) {
      case PGRES_SINGLE_TUPLE:
        if (rows == 0 && libpq_.PQnfields(result.get()) > 0 &&
            libpq_.PQgetisnull(result.get(), 0, 0) == 0)
          value = libpq_.PQgetvalue(result.get(), 0, 0);
        if (++rows <= kMaxRows) break;
        co_return fail(
            Code::kInvalidArgument,
            "the query gives more than 1000 rows: write one that gives the value wanted");
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        break;
      default:
        co_return fail(
            Code::kFailedPrecondition,
            "PostgreSQL says: " + one_line(libpq_.PQresultErrorMessage(result.get()), 300));
    }
  }
}

}  // namespace binnacle::watch::health
