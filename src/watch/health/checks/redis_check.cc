// `redis`: logs in, asks PING and INFO: role, link to the master, memory.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "watch/health/checks/kinds.h"
#include "watch/health/checks/redis_session.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class RedisCheck final : public Check {
 public:
  RedisCheck(YamlMap& map, const KindInput& input)
      : clock_(input.tools.clock), server_(read_redis_settings(map, input), input.tools.files) {
    constexpr std::string_view kRoles[] = {"any", "master", "replica"};
    map.choice("role", role_, kRoles);
    memory_ = {Comparison{Compare::kAbove, 0.9}, Comparison{Compare::kAbove, 0.98}};
    read_thresholds(map, "memory", memory_, Compare::kAbove);
    read_thresholds(map, "replicas", replicas_, Compare::kBelow);
    read_thresholds(map, "clients", clients_, Compare::kAbove);
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    net::Deadline deadline(co_await asio::this_coro::executor, timeout);
    const auto session = co_await server_.connect(timeout, deadline);
    if (!session) co_return reading_of(session.error());
    const auto pong = co_await (*session)->command({"PING"});
    if (!pong) co_return reading_of(pong.error());
    const double took = double(clock_.monotonic_ns() - began_ns) / 1e9;
    const auto info = co_await (*session)->command({"INFO"});
    if (!info) co_return reading_of(info.error());
    Verdict verdict;
    if (pong->text != "PONG")
      verdict.add(Health::kCritical, "PING is answered by " + one_line(pong->text, 50));
    judge_role(info->text, verdict);
    judge_use(info->text, verdict);
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    verdict.note(fmt::format("Redis {} in {}",
                             info_field(info->text, "redis_version").value_or("?"),
                             seconds_text(took)));
    co_return verdict.reading(took, "seconds");
  }

 private:
  void judge_role(std::string_view info, Verdict& verdict) const {
    const bool replica = info_field(info, "role") == "slave";
    const std::string_view role = replica ? "replica" : "master";
    if (role_ != "any" && role_ != role)
      verdict.add(Health::kCritical, fmt::format("it is a {}, wanted {}", role, role_));
    verdict.note(std::string(role));
    if (info_field(info, "loading") == "1")
      verdict.add(Health::kCritical, "it is still loading its data");
    if (replica && info_field(info, "master_link_status") != "up") {
      verdict.add(Health::kCritical, fmt::format("the link to its master {}:{} is down",
                                                 info_field(info, "master_host").value_or("?"),
                                                 info_field(info, "master_port").value_or("?")));
    }
    if (const auto replicas = info_number(info, "connected_slaves"); replicas && !replica)
      verdict.judge(replicas_, *replicas, fmt::format("{} replicas are connected", *replicas));
  }

  void judge_use(std::string_view info, Verdict& verdict) const {
    const double used = info_number(info, "used_memory").value_or(0);
    const double most = info_number(info, "maxmemory").value_or(0);
    if (most > 0) {
      verdict.judge(memory_, used / most,
                    fmt::format("{} of {} memory is used", bytes_text(used), bytes_text(most)));
    }
    verdict.note(bytes_text(used));
    if (const auto clients = info_number(info, "connected_clients"))
      verdict.judge(clients_, *clients, fmt::format("{} clients are connected", *clients));
  }

  // Fixed after construction
  const Clock& clock_;
  RedisServer server_;
  std::string role_ = "any";
  Thresholds memory_;
  Thresholds replicas_;
  Thresholds clients_;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_redis_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<RedisCheck>(map, input);
}

}  // namespace binnacle::watch::health
