// `postgres`: logs in and asks a query in a read-only transaction; the role in replication and how
// far a replica is behind, where wanted.
#include <fmt/format.h>

#include <charconv>

#include <boost/asio/this_coro.hpp>

#include "watch/health/checks/address.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/libpq.h"
#include "watch/health/checks/postgres_session.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint16_t kPostgresPort = 5432;

// "primary", or "replica" with the seconds that it is behind: none while everything that it got is
// replayed and it still gets more. NULL: it has never replayed anything.
constexpr std::string_view kReplication =
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'primary' "
    "WHEN EXISTS (SELECT 1 FROM pg_stat_wal_receiver) "
    "AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 'replica 0' "
    "ELSE 'replica ' || coalesce(extract(epoch FROM now() - "
    "pg_last_xact_replay_timestamp())::text, "
    "'?') END";

PostgresSettings read_settings(YamlMap& map, const KindInput& input) {
  PostgresSettings out;
  map.read("socket", out.socket_folder);
  if (out.socket_folder.empty()) {
    out.address = read_address(map, kPostgresPort);
  } else {
    uint64_t port = kPostgresPort;
    map.read("port", port);
    if (port == 0 || port > 65'535) map.value().problem("port: write 1 to 65535");
    out.address.port = static_cast<uint16_t>(port);
  }
  map.read("user", out.user);
  map.read("password", out.password);
  map.file("password_file", out.password_file);
  map.read("database", out.database);
  constexpr std::string_view kModes[] = {"disable", "allow",     "prefer",
                                         "require", "verify-ca", "verify-full"};
  map.choice("sslmode", out.sslmode, kModes);
  map.file("ca_file", out.ca_file);
  if (!input.trusted && (!out.password_file.empty() || !out.ca_file.empty()))
    map.value().problem("files are named in the configuration file alone: give the value itself");
  return out;
}

std::optional<double> number_of(const PostgresValue& value) {
  if (!value) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size()) return std::nullopt;
  return number;
}

class PostgresCheck final : public Check {
 public:
  PostgresCheck(YamlMap& map, const KindInput& input)
      : clock_(input.tools.clock), files_(input.tools.files), settings_(read_settings(map, input)) {
    map.read("query", query_);
    if (const auto expect = map.field("expect")) expect_ = expect->text();
    constexpr std::string_view kRoles[] = {"any", "primary", "replica"};
    map.choice("role", role_, kRoles);
    read_thresholds(map, "lag", lag_, Compare::kAbove, ThresholdUnit::kDuration);
    read_thresholds(map, "value", value_, Compare::kAbove);
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    if ((expect_ || value_.any()) && query_.empty())
      map.value().problem("expect and value need a query");
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    net::Deadline deadline(co_await asio::this_coro::executor, timeout);
    const auto session = co_await PostgresSession::connect(settings_, files_, deadline);
    if (!session) co_return reading_of(session.error());
    Verdict verdict;
    std::optional<double> value;
    const auto asked = co_await ask(**session, timeout, verdict, value);
    if (!asked) co_return reading_of(asked.error());
    const double took = double(clock_.monotonic_ns() - began_ns) / 1e9;
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    verdict.note(fmt::format("PostgreSQL {} in {}", (*session)->server_version() / 10'000,
                             seconds_text(took)));
    if (value_.any() && value) co_return verdict.reading(*value, "");
    co_return verdict.reading(took, "seconds");
  }

 private:
  asio::awaitable<Status> ask(PostgresSession& session, milliseconds timeout, Verdict& verdict,
                              std::optional<double>& value) const {
    if (auto begun = co_await session.begin_read_only(timeout); !begun) co_return begun;
    if (role_ != "any" || lag_.any()) {
      const auto replication = co_await session.query(std::string(kReplication));
      if (!replication) co_return fail(replication.error());
      judge_replication(replication->value_or(""), verdict);
    }
    const auto answer = co_await session.query(query_.empty() ? "SELECT 1" : query_);
    if (!answer) co_return fail(answer.error());
    value = number_of(*answer);
    if (!query_.empty()) judge_answer(*answer, value, verdict);
    co_return Status();
  }

  void judge_replication(std::string_view said, Verdict& verdict) const {
    const size_t space = std::min(said.find(' '), said.size());
    const std::string_view role = said.substr(0, space);
    if (role_ != "any" && role_ != role)
      verdict.add(Health::kCritical, fmt::format("it is a {}, wanted {}", role, role_));
    verdict.note(std::string(role));
    if (role != "replica" || !lag_.any()) return;
    const auto lag = number_of(std::string(said.substr(std::min(space + 1, said.size()))));
    if (!lag) return verdict.add(Health::kCritical, "it has replayed nothing yet");
    verdict.judge(lag_, *lag, fmt::format("it is {} behind", seconds_text(*lag)));
  }

  void judge_answer(const PostgresValue& answer, std::optional<double> value,
                    Verdict& verdict) const {
    const std::string text = answer ? one_line(*answer, 100) : "nothing";
    if (expect_ && answer != expect_) {
      verdict.add(Health::kCritical,
                  fmt::format("the query gives {}, wanted {}", text, one_line(*expect_, 100)));
    }
    if (value_.any() && !value)
      verdict.add(Health::kUnknown, fmt::format("the query gives {}, which is no number", text));
    if (value_.any() && value)
      verdict.judge(value_, *value, fmt::format("the query gives {}", text));
    if (verdict.health() == Health::kHealthy) verdict.note(fmt::format("the query gives {}", text));
  }

  // Fixed after construction
  const Clock& clock_;
  FileSystem& files_;
  const PostgresSettings settings_;
  std::string query_;
  std::optional<std::string> expect_;
  std::string role_ = "any";
  Thresholds lag_;
  Thresholds value_;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_postgres_check(const KindInput& input) {
  // Here, since loading takes longer than an I/O thread has; what is missing is told by the runs.
  static_cast<void>(load_libpq());
  YamlMap map(input.settings);
  return std::make_unique<PostgresCheck>(map, input);
}

}  // namespace binnacle::watch::health
