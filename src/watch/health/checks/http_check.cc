// `http`: asks a URL and looks at the answer, at how long it took and at the server's certificate.
#include <fmt/format.h>

#include "net/http.h"
#include "watch/health/checks/certificate_days.h"
#include "watch/health/checks/http_expectation.h"
#include "watch/health/checks/http_probe.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;

class HttpCheck final : public Check {
 public:
  HttpCheck(YamlMap& map, const KindInput& input)
      : clock_(input.tools.clock),
        probe_(read_http_probe(map, input), input.tools),
        expected_(map) {
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    read_thresholds(map, "certificate_days", days_, Compare::kBelow);
    map.finish();
  }

  asio::awaitable<Reading> run(std::chrono::milliseconds timeout) override {
    const auto answer = co_await probe_.run(timeout);
    if (!answer) co_return reading_of(answer.error());
    Verdict verdict;
    const auto reason = net::status_reason(answer->status);
    expected_.judge_status(answer->status, reason, verdict);
    if (expected_.wants_status(answer->status))
      expected_.judge_body(answer->body, answer->cut, verdict);
    verdict.judge(latency_, answer->seconds, fmt::format("took {}", seconds_text(answer->seconds)));
    if (answer->certificate) judge_days(days_, *answer->certificate, clock_.wall_ms(), verdict);
    verdict.note(fmt::format("{} {} in {}", answer->status, reason, seconds_text(answer->seconds)));
    co_return verdict.reading(answer->seconds, "seconds");
  }

 private:
  // Fixed after construction
  const Clock& clock_;
  HttpProbe probe_;
  const HttpExpectation expected_;
  Thresholds latency_;
  Thresholds days_;
};

}  // namespace

std::unique_ptr<Check> read_http_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<HttpCheck>(map, input);
}

}  // namespace binnacle::watch::health
