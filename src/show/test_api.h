// For tests: Prometheus' API over a small store at a simulated time.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "show/prometheus_api.h"
#include "show/test_route_caller.h"
#include "store/metrics/linear_store.h"
#include "watch/rules/rules_view.h"

namespace binnacle::show {

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    using model::Labels;
    put(Labels{{"__name__", "up"}, {"job", "a"}}, 0, 1);
    put(Labels{{"__name__", "up"}, {"job", "a"}}, 15'000, 0.5);
    put(Labels{{"__name__", "up"}, {"job", "b"}}, 15'000, std::numeric_limits<double>::infinity());
    put(Labels{{"__name__", "x"}, {"http.status", "1"}, {"zone", "\"q\""}}, 15'000, 1e-7);
    limits_.max_points = 100;
    EXPECT_TRUE(
        register_prometheus_api(router_, {.store = store_,
                                          .clock = clock_,
                                          .limits = [this] { return limits_; },
                                          .log = log_,
                                          .metadata = [this] { return metadata_; },
                                          .external_labels = [this] { return external_labels_; },
                                          .facts = [this] { return facts_; },
                                          .version = "0.1.0",
                                          .revision = "abc",
                                          .rules = &rules_,
                                          .alertmanagers = [this] { return outside_; }}));
    clock_.advance_ms(16'000);
  }

  void put(const model::Labels& labels, int64_t at_ms, double value) {
    auto appender = store_.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {kStartMs + at_ms, value}));
    ASSERT_TRUE(appender->commit());
  }

  virtual net::Response call(std::string_view target, std::vector<net::HeaderView> headers = {}) {
    return call_route(router_, net::Method::kGet, target, std::move(headers));
  }
  std::string get(std::string_view target, int status = 200) {
    const auto response = call(target);
    EXPECT_EQ(response.status, status) << target << " " << response.body;
    EXPECT_EQ(response.headers.get("content-type"), "application/json");
    return response.body;
  }
  // The `data` of a good answer without warnings.
  std::string data(std::string_view target) {
    constexpr std::string_view kBegin = R"({"status":"success","data":)";
    const std::string body = get(target);
    EXPECT_TRUE(body.starts_with(kBegin)) << body;
    return body.substr(kBegin.size(), body.size() - kBegin.size() - 1);
  }
  // The text of a 400.
  std::string bad(std::string_view target) {
    constexpr std::string_view kBegin = R"({"status":"error","errorType":"bad_data","error":")";
    const std::string body = get(target, 400);
    EXPECT_TRUE(body.starts_with(kBegin)) << body;
    return body.substr(kBegin.size(), body.size() - kBegin.size() - 2);
  }

  static constexpr int64_t kStartMs = 1'700'000'000'000;
  SimulatedClock clock_{kStartMs * 1'000'000};
  Registry registry_;
  query::promql::QueryLog log_{registry_};
  query::promql::QueryLimits limits_;
  MetadataList metadata_;
  ConfigMap external_labels_;
  ServerFacts facts_;
  watch::rules::AlertmanagerUrls outside_;
  struct FixedRules final : watch::rules::RulesView {
    std::vector<watch::rules::GroupStatus> groups() const override { return list; }
    std::vector<watch::rules::GroupStatus> list;
  };
  FixedRules rules_;
  store::metrics::LinearStore store_{clock_};
  net::Router router_;
};

}  // namespace binnacle::show
