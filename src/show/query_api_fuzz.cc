// Any bytes as a request to Prometheus' API: the first line is the target, what follows it a form
// body. Each is answered with one of the statuses that the API knows, and with JSON where it says
// so.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "show/prometheus_api.h"
#include "show/test_route_caller.h"
#include "store/metrics/linear_store.h"

namespace {

using namespace binnacle;  // NOLINT(google-build-using-namespace): one file

// The same day each time, and real time for the queries' limit.
class FixedDay final : public Clock {
 public:
  int64_t wall_ns() const override { return kNowMs * 1'000'000; }
  int64_t monotonic_ns() const override { return real_.monotonic_ns(); }
  static constexpr int64_t kNowMs = 1'700'000'000'000;

 private:
  const SystemClock real_;
};

class Api {
 public:
  Api() {
    limits_.max_points = 300;
    limits_.max_series = 5;
    limits_.max_samples = 100'000;
    limits_.max_bytes = size_t{4} << 20;
    limits_.timeout_ms = 1000;
    limits_.experimental = true;
    put({{"__name__", "up"}, {"job", "a"}}, 1);
    put({{"__name__", "up"}, {"job", "b"}}, std::numeric_limits<double>::infinity());
    put({{"__name__", "h_bucket"}, {"le", "1"}}, 3);
    put({{"__name__", "h_bucket"}, {"le", "+Inf"}}, 4);
    put({{"__name__", "x.y"}, {"http.status", "1"}, {"zone", "\"q\"\n"}}, 1e-7);
    put({{"__name__", "z"}, {"a", "\xE2\x82\xAC"}}, std::numeric_limits<double>::quiet_NaN());
    metadata_.emplace_back("up", model::MetricMetadata{});
    CHECK(show::register_prometheus_api(router_, {.store = store_,
                                                  .clock = clock_,
                                                  .limits = [this] { return limits_; },
                                                  .log = log_,
                                                  .metadata = [this] { return metadata_; },
                                                  .external_labels =
                                                      [] {
                                                        return ConfigMap{{"region", "\"x\""}};
                                                      },
                                                  .facts = [] { return show::ServerFacts{}; },
                                                  .version = "0.1.0",
                                                  .revision = "abc"}));
  }

  net::Response call(net::Method method, std::string_view target, std::string_view body) {
    const std::vector<net::HeaderView> headers = {
        {"Content-Type", "application/x-www-form-urlencoded"}};
    return show::call_route(router_, method, target, headers, body);
  }

 private:
  void put(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs,
           double value) {
    model::LabelsBuilder labels;
    for (const auto& [name, text] : pairs) labels.set(name, text);
    const auto appender = store_.appender();
    for (int64_t i = 0; i < 100; ++i)
      CHECK(appender->append(
          model::kNoSeries, labels.build(),
          {FixedDay::kNowMs - 1'500'000 + i * 15'000, value * static_cast<double>(i)}));
    CHECK(appender->commit());
  }

  const FixedDay clock_;
  Registry registry_;
  query::promql::QueryLog log_{registry_};
  query::promql::QueryLimits limits_;
  show::MetadataList metadata_;
  store::metrics::LinearStore store_{clock_};
  net::Router router_;
};

void check_answer(const net::Response& response) {
  constexpr std::array kStatuses = {200, 204, 400, 404, 405, 422, 501, 503};
  CHECK(std::ranges::find(kStatuses, response.status) != kStatuses.end());
  if (response.headers.get("Content-Type") != "application/json") return;
  CHECK(nlohmann::json::accept(response.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Api api;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view target = input.substr(0, line);
  if (line == input.size()) {
    check_answer(api.call(net::Method::kGet, target, ""));
  } else {
    check_answer(api.call(net::Method::kPost, target, input.substr(line + 1)));
  }
  return 0;
}
