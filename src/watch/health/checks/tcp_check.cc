// `tcp`: a connection, and where wanted a few bytes there and back.
#include <fmt/format.h>

#include <array>

#include <boost/asio/this_coro.hpp>

#include "net/deadline.h"
#include "net/dial.h"
#include "watch/health/checks/address.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr size_t kMaxAnswerBytes = 64 * 1024;

class TcpCheck final : public Check {
 public:
  TcpCheck(YamlMap& map, const KindInput& input) : clock_(input.tools.clock) {
    plan_.connect_to = read_address(map);
    map.read("send", send_);
    map.read("expect", expect_);
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    const auto seconds = [this, began_ns] {
      return double(clock_.monotonic_ns() - began_ns) / 1e9;
    };
    net::Deadline deadline(co_await asio::this_coro::executor, timeout);
    auto transport = co_await net::dial(plan_, timeout, deadline);
    if (!transport) co_return reading_of(transport.error());
    deadline.on_expiry([&transport] { (*transport)->close(); });
    Verdict verdict;
    if (!send_.empty() || !expect_.empty()) co_await talk(**transport, deadline, timeout, verdict);
    const double took = seconds();
    deadline.on_expiry(nullptr);
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    if (verdict.health() != Health::kFailed)
      verdict.note(fmt::format("{} in {}", expect_.empty() ? "connected" : "answered as expected",
                               seconds_text(took)));
    co_return verdict.reading(took, "seconds");
  }

 private:
  asio::awaitable<void> talk(net::Transport& transport, const net::Deadline& deadline,
                             milliseconds timeout, Verdict& verdict) const {
    std::string answer;
    auto [error, written] = co_await transport.write(asio::buffer(send_), {});
    std::array<char, 4096> piece;
    while (!error && answer.find(expect_) == std::string::npos && answer.size() < kMaxAnswerBytes) {
      const auto [failed, size] = co_await transport.read_some(asio::buffer(piece));
      error = failed;
      answer.append(piece.data(), size);
    }
    if (answer.find(expect_) != std::string::npos) co_return;
    const std::string said =
        answer.empty() ? "it said nothing" : "it said: " + one_line(answer, 100);
    const std::string wanted = one_line(expect_, 100);
    if (deadline.expired()) {
      verdict.add(Health::kFailed, fmt::format("\"{}\" did not come within {}; {}", wanted,
                                               seconds_text(double(timeout.count()) / 1000), said));
    } else if (answer.empty()) {
      verdict.add(Health::kFailed, fmt::format("\"{}\" did not come: {}", wanted,
                                               error ? error.message() : "nothing came"));
    } else {
      verdict.add(Health::kCritical, fmt::format("\"{}\" did not come; {}", wanted, said));
    }
  }

  // Fixed after construction
  const Clock& clock_;
  net::DialPlan plan_;
  std::string send_;
  std::string expect_;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_tcp_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<TcpCheck>(map, input);
}

}  // namespace binnacle::watch::health
