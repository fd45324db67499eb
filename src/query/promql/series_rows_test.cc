#include "query/promql/series_rows.h"

#include <gtest/gtest.h>

#include <cstring>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "query/promql/engine.h"
#include "query/promql/selector_rows.h"
#include "store/metrics/linear_store.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kSeries = 3000;
constexpr size_t kSamples = 20;
constexpr int64_t kStepMs = 1000;

// Series by number, without a store. Fails at `broken`.
class Numbered final : public SeriesReader {
 public:
  explicit Numbered(size_t broken = kSeries + 1) : broken_(broken) {
    for (size_t i = 0; i < kSamples; ++i) times_ms_.push_back(static_cast<int64_t>(i) * kStepMs);
  }

  Result<bool> next(model::SeriesColumns& out) override {
    if (at_ == broken_) return fail(Code::kDataLoss, "torn");
    if (at_ == kSeries) return false;
    labels_ = model::Labels{{"__name__", "x"}, {"n", std::to_string(at_)}};
    values_.assign(kSamples, static_cast<double>(at_));
    // Every seventh has times of its own, as a target that is scraped out of step.
    const bool own_times = at_ % 7 == 0;
    ++at_;
    out = {labels_.view(), times_ms_, values_, own_times ? 0U : 1U};
    return true;
  }

 private:
  const size_t broken_;
  size_t at_ = 0;
  std::vector<int64_t> times_ms_;
  std::vector<double> values_;
  model::Labels labels_;
};

class SeriesRowsTest : public testing::Test {
 protected:
  RowSourcePtr rows(size_t broken, bool with_helpers) {
    context_.helpers = with_helpers ? &helpers_ : nullptr;
    return series_rows(std::make_unique<Numbered>(broken),
                       selector_rows({}, SelectorValue::kSample, context_), context_);
  }

  SimulatedClock clock_;
  ThreadPool helpers_{"helper", 3, 64};
  QueryMeter meter_{{}, clock_, nullptr};
  Annotations annotations_{"x"};
  EvalContext context_{{0, 19 * kStepMs, kStepMs}, meter_, annotations_};
};

TEST_F(SeriesRowsTest, HelpersKeepTheOrder) {
  for (int round = 0; round < 20; ++round) {
    const RowSourcePtr source = rows(kSeries + 1, true);
    Row row;
    for (size_t i = 0; i < kSeries; ++i) {
      const auto more = source->next(row);
      ASSERT_TRUE(more && *more) << i;
      ASSERT_EQ(row.labels.get("n"), std::to_string(i));
      ASSERT_EQ(row.values.size(), kSamples);
      for (const double value : row.values) ASSERT_EQ(value, static_cast<double>(i));
    }
    const auto more = source->next(row);
    EXPECT_TRUE(more && !*more);
  }
}

TEST_F(SeriesRowsTest, WhatWasReadBeforeAnErrorIsThere) {
  for (const size_t broken : {0, 511, 512, 513, 1000, 2999}) {
    const RowSourcePtr source = rows(broken, true);
    Row row;
    size_t seen = 0;
    Result<bool> more = source->next(row);
    for (; more && *more; more = source->next(row)) ++seen;
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().message, "torn");
    EXPECT_LE(seen, broken);
    EXPECT_GE(seen + 64, broken);  // a batch that broke goes whole
  }
}

TEST_F(SeriesRowsTest, RowsMayGoBeforeTheyAreRead) {
  for (size_t wanted = 0; wanted < 2000; wanted += 97) {
    const RowSourcePtr source = rows(kSeries + 1, true);
    Row row;
    for (size_t i = 0; i < wanted; ++i) ASSERT_TRUE(source->next(row));
  }
}

TEST_F(SeriesRowsTest, BusyHelpersAreDoneWithout) {
  ThreadPool stopped("stopped", 1, 1);
  stopped.stop();
  context_.helpers = &stopped;
  const RowSourcePtr source = series_rows(
      std::make_unique<Numbered>(), selector_rows({}, SelectorValue::kSample, context_), context_);
  Row row;
  size_t seen = 0;
  while (*source->next(row)) ++seen;
  EXPECT_EQ(seen, kSeries);
}

TEST_F(SeriesRowsTest, QueriesAnswerTheSameWithHelpers) {
  SystemClock clock;
  store::metrics::LinearStore store(clock, {.max_series = 10'000});
  const int64_t now_ms = clock.wall_ms();
  const auto appender = store.appender();
  for (size_t i = 0; i < kSeries; ++i) {
    const model::Labels labels{
        {"__name__", "x"}, {"job", std::to_string(i % 5)}, {"n", fmt::format("{:05}", i)}};
    for (int64_t k = 0; k < 5; ++k) {
      ASSERT_TRUE(appender->append(
          model::kNoSeries, labels,
          {now_ms - (5 - k) * 1000, static_cast<double>(static_cast<size_t>(k) * i)}));
    }
  }
  ASSERT_TRUE(appender->commit());
  for (const char* text : {"sum by (job) (rate(x[4s]))", "x", "topk(3, x * 2)",
                           "quantile_over_time(0.5, x[3s])", "x - on (n) x"}) {
    const Query query{text, {now_ms - 2000, now_ms, 500}, false};
    const auto alone = evaluate(store, query, {}, clock);
    const auto helped = evaluate(store, query, {}, clock, nullptr, &helpers_);
    ASSERT_TRUE(alone && helped) << text;
    ASSERT_EQ(alone->rows.size(), helped->rows.size()) << text;
    for (size_t i = 0; i < alone->rows.size(); ++i) {
      EXPECT_EQ(alone->rows[i].labels, helped->rows[i].labels) << text;
      EXPECT_EQ(0, std::memcmp(alone->rows[i].values.data(), helped->rows[i].values.data(),
                               alone->rows[i].values.size() * sizeof(double)))
          << text;
    }
    EXPECT_EQ(alone->infos, helped->infos) << text;
  }
}

}  // namespace
}  // namespace binnacle::query::promql
