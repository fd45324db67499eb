// `models`: an OpenAI-compatible engine must list the models that it is there for.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "net/http.h"
#include "watch/health/checks/http_probe.h"
#include "watch/health/checks/json_path.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;

class ModelsCheck final : public Check {
 public:
  ModelsCheck(YamlMap& map, const KindInput& input)
      : probe_(at_models(read_http_probe(map, input)), input.tools) {
    map.read("models", wanted_);
    if (wanted_.empty()) map.value().problem("models is missing: the names that must be listed");
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(std::chrono::milliseconds timeout) override {
    const auto answer = co_await probe_.run(timeout);
    if (!answer) co_return reading_of(answer.error());
    Verdict verdict;
    judge(*answer, verdict);
    verdict.judge(latency_, answer->seconds, fmt::format("took {}", seconds_text(answer->seconds)));
    co_return verdict.reading(answer->seconds, "seconds");
  }

 private:
  // An address alone means the place where every such engine lists its models.
  static HttpProbeSettings at_models(HttpProbeSettings settings) {
    const auto url = net::Url::parse(settings.url);
    if (url && url->target == "/")
      settings.url += settings.url.ends_with('/') ? "v1/models" : "/v1/models";
    return settings;
  }

  void judge(const HttpAnswer& answer, Verdict& verdict) const {
    if (answer.status != 200) {
      return verdict.add(Health::kCritical, fmt::format("status {} {}", answer.status,
                                                        net::status_reason(answer.status)));
    }
    const auto body = JsonBody::parse(answer.body);
    if (!body) return verdict.add(Health::kCritical, body.error().message);
    const auto listed = body->texts(*JsonPath::parse("$.data"), "id");
    for (const std::string& name : wanted_) {
      if (std::ranges::find(listed, name) == listed.end())
        verdict.add(Health::kCritical, fmt::format("{} is not loaded", name));
    }
    verdict.note(listed.empty() ? "no model is loaded"
                                : one_line(fmt::format("loaded: {}", fmt::join(listed, ", "))));
  }

  // Fixed after construction
  HttpProbe probe_;
  std::vector<std::string> wanted_;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_models_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<ModelsCheck>(map, input);
}

}  // namespace binnacle::watch::health
