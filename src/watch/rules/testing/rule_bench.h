// A group of rules over a store in memory, with the time in the test's hands.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/metrics/linear_store.h"
#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {

class RuleBench {
 public:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  GroupTools tools() {
    return {.reads = store,
            .writes = store,
            .clock = clock,
            .instruments = instruments,
            .limits = {},
            .expand = expand,
            .notify = [this](std::vector<model::Alert> alerts) -> Status {
              if (!router_takes) return fail(Code::kUnavailable, "no router");
              for (model::Alert& alert : alerts) told.push_back(std::move(alert));
              return {};
            }};
  }
  std::unique_ptr<GroupEvaluator> group(std::string_view yaml, size_t index = 0) {
    auto groups = read_rule_file(yaml, "r.yml");
    EXPECT_TRUE(groups) << groups.error().message;
    return std::make_unique<GroupEvaluator>(std::move((*groups)[index]), settings, tools());
  }
  static int64_t at(int64_t seconds) { return kStartMs + seconds * 1000; }

  void write(const model::Labels& labels, double value, int64_t seconds) {
    const auto appender = store.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {at(seconds), value}));
    ASSERT_TRUE(appender->commit());
  }
  // Samples of a metric at exactly that time, "stale" where a series ends.
  std::map<std::string, std::string> samples(const std::string& metric, int64_t seconds) {
    std::map<std::string, std::string> out;
    const auto querier = store.querier(at(seconds), at(seconds));
    const auto set = (*querier)->select(
        {*model::Matcher::create(model::MatchOp::kEqual, "__name__", metric)}, {});
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      if (columns.values.empty()) continue;
      const double value = columns.values.back();
      out[columns.labels.to_string()] = model::is_stale(value) ? "stale" : std::to_string(value);
    }
    return out;
  }

  SimulatedClock clock{(kStartMs + 3'600'000) * 1'000'000};  // samples may not be of the future
  Registry registry;
  store::metrics::LinearStore store{clock};
  RuleInstruments instruments{registry};
  GroupSettings settings;
  ExpandTemplate expand;
  std::vector<model::Alert> told;
  bool router_takes = true;
};

}  // namespace binnacle::watch::rules
