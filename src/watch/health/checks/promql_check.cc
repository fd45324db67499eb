// `promql`: an expression whose every series is judged by thresholds.
#include <fmt/format.h>

#include "watch/health/checks/kinds.h"
#include "watch/health/checks/series_values.h"
#include "watch/health/checks/series_verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;

class PromqlCheck final : public Check {
 public:
  PromqlCheck(YamlMap& map, const KindInput& input) : tools_(input.tools) {
    std::string text;
    map.read("expr", text);
    auto parsed = SeriesQuestion::parse(text);
    if (text.empty()) {
      map.value().problem("expr is missing: a PromQL expression");
    } else if (!parsed) {
      map.field("expr")->problem(parsed.error().message);
    } else {
      question_ = std::move(*parsed);
    }
    read_thresholds(map, thresholds_, std::nullopt);
    if (!thresholds_.any())
      map.value().problem("warn and critical are missing: write at least one, like \"> 0.9\"");
    map.read("unit", unit_);
    std::string empty = "unknown";
    constexpr std::string_view kWords[] = {"unknown", "healthy", "degraded", "critical"};
    map.choice("empty", empty, kWords);
    empty_ = *health_of_name(empty);
    map.finish();
  }

  asio::awaitable<Reading> run(std::chrono::milliseconds timeout) override {
    const auto values = co_await question_->ask(tools_, timeout);
    // It is the store that did not answer, not what is judged by it.
    if (!values) co_return Reading{.message = one_line(values.error().message, 400)};
    if (values->empty())
      co_return Reading{.health = empty_, .message = "the expression gives no series"};
    Verdict verdict;
    judge_series(*values, thresholds_, "", unit_, verdict);
    if (const SeriesValue* worst = worst_series(*values, thresholds_))
      co_return verdict.reading(worst->value, unit_);
    co_return verdict.reading();
  }

 private:
  // Fixed after construction
  const CheckTools tools_;
  std::optional<SeriesQuestion> question_;  // without one the settings have a problem
  Thresholds thresholds_;
  std::string unit_;
  Health empty_ = Health::kUnknown;
};

}  // namespace

std::unique_ptr<Check> read_promql_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<PromqlCheck>(map, input);
}

}  // namespace binnacle::watch::health
