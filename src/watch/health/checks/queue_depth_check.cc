// `queue_depth`: how many entries wait in a Redis list, stream, set or sorted set, or are pending
// in a group that reads a stream.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "watch/health/checks/kinds.h"
#include "watch/health/checks/redis_session.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class QueueDepthCheck final : public Check {
 public:
  QueueDepthCheck(YamlMap& map, const KindInput& input)
      : server_(read_redis_settings(map, input), input.tools.files) {
    map.read("key", key_);
    if (key_.empty()) map.value().problem("key is missing: the list or stream that is the queue");
    map.read("group", group_);
    read_thresholds(map, depth_, Compare::kAbove);
    if (!depth_.any()) map.value().problem("warn and critical are missing: write at least one");
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    net::Deadline deadline(co_await asio::this_coro::executor, timeout);
    const auto session = co_await server_.connect(timeout, deadline);
    if (!session) co_return reading_of(session.error());
    const auto kind = co_await (*session)->command({"TYPE", key_});
    if (!kind) co_return reading_of(kind.error());
    const auto words = question(kind->text);
    if (!words) co_return reading_of(words.error());
    RedisReply depth;  // of a key that is not there: an empty queue has none
    if (!words->empty()) {
      const auto answer = co_await (*session)->command(*words);
      if (!answer) co_return reading_of(answer.error());
      depth = *answer;
    }
    // XPENDING sums up in a list, the number first.
    if (depth.kind == RedisReply::Kind::kList && !depth.items.empty()) depth = depth.items.front();
    const auto value = static_cast<double>(depth.number);
    const std::string text =
        fmt::format("{} {} in {}{}", depth.number, group_.empty() ? "waiting" : "pending",
                    one_line(key_, 80), group_.empty() ? "" : " of " + one_line(group_, 80));
    Verdict verdict;
    verdict.judge(depth_, value, text);
    if (verdict.health() == Health::kHealthy) verdict.note(text);
    co_return verdict.reading(value, "entries");
  }

 private:
  Result<std::vector<std::string>> question(const std::string& kind) const {
    using Words = std::vector<std::string>;
    if (kind == "none") return Words();
    if (!group_.empty() && kind == "stream") return Words{"XPENDING", key_, group_};
    if (!group_.empty()) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("{} is a {}: only a stream has groups", key_, kind));
    }
    if (kind == "list") return Words{"LLEN", key_};
    if (kind == "stream") return Words{"XLEN", key_};
    if (kind == "zset") return Words{"ZCARD", key_};
    if (kind == "set") return Words{"SCARD", key_};
    return fail(Code::kFailedPrecondition, fmt::format("{} is a {}, no queue", key_, kind));
  }

  // Fixed after construction
  RedisServer server_;
  std::string key_;
  std::string group_;
  Thresholds depth_;
};

}  // namespace

std::unique_ptr<Check> read_queue_depth_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<QueueDepthCheck>(map, input);
}

}  // namespace binnacle::watch::health
