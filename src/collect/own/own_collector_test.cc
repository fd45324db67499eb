#include "collect/own/own_collector.h"

#include <gtest/gtest.h>

#include "model/matcher.h"
#include "model/querier.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::own {
namespace {

using model::Labels;

class OwnCollectorTest : public testing::Test {
 protected:
  // "name{labels} v1 v2 ..." of every series whose name matches.
  std::vector<std::string> stored(const std::string& name_regex) {
    auto querier = *store_.querier(0, clock_.wall_ms() + 1000);
    auto set = *querier->select(
        {*model::Matcher::create(model::MatchOp::kRegex, "__name__", name_regex)}, {});
    std::vector<std::string> out;
    model::SeriesColumns columns;
    while (set->next(columns)) {
      std::string line = columns.labels.to_string();
      for (const double value : columns.values)
        line += " " + std::to_string(static_cast<int>(value));
      out.push_back(line);
    }
    return out;
  }

  SimulatedClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_, {.max_series = 6}};
  OwnCollector collector_{registry_, store_, Labels{{"job", "binnacle"}, {"instance", "a:1"}}};
};

using Lines = std::vector<std::string>;

TEST_F(OwnCollectorTest, StoresEveryInstrumentUnderItsLabels) {
  Counter& things = registry_.counter("things_total", "Things.", {{"kind", "x"}});
  things.add(2);
  EXPECT_EQ(*collector_.collect_once(clock_.wall_ms()), 0u);
  things.add(3);
  clock_.advance_ms(1000);
  EXPECT_EQ(*collector_.collect_once(clock_.wall_ms()), 0u);
  EXPECT_EQ(stored("things_total"),
            (Lines{R"(things_total{instance="a:1", job="binnacle", kind="x"} 2 5)"}));
  EXPECT_EQ(stored("up"), (Lines{R"(up{instance="a:1", job="binnacle"} 1 1)"}));
}

TEST_F(OwnCollectorTest, HistogramsBecomeBucketsSumAndCount) {
  const double bounds[] = {1, 10};
  registry_.histogram("wait_seconds", "Wait.", bounds).observe(5);
  ASSERT_TRUE(collector_.collect_once(clock_.wall_ms()));
  EXPECT_EQ(stored("wait_seconds.*"),
            (Lines{R"(wait_seconds_bucket{instance="a:1", job="binnacle", le="+Inf"} 1)",
                   R"(wait_seconds_bucket{instance="a:1", job="binnacle", le="1"} 0)",
                   R"(wait_seconds_bucket{instance="a:1", job="binnacle", le="10"} 1)",
                   R"(wait_seconds_count{instance="a:1", job="binnacle"} 1)",
                   R"(wait_seconds_sum{instance="a:1", job="binnacle"} 5)"}));
}

TEST_F(OwnCollectorTest, WhatTheStoreRefusesIsCountedAndTheRestGoesIn) {
  for (int i = 0; i < 8; ++i) registry_.gauge("g", "G.", {{"i", std::to_string(i)}}).set(i);
  const auto refused = collector_.collect_once(clock_.wall_ms());
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, 3u);  // nine series, six fit
  EXPECT_EQ(stored("g|up").size(), 6u);
}

}  // namespace
}  // namespace binnacle::collect::own
