#include "store/metrics/metric_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "store/metrics/linear_store.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchOp;
using testing::HasSubstr;

using Lines = std::vector<std::string>;

constexpr int64_t kFarPast = std::numeric_limits<int64_t>::min() / 4;
constexpr int64_t kFarFuture = std::numeric_limits<int64_t>::max() / 4;
constexpr int64_t kHourMs = 3'600'000;

class MetricStoreTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(run_.open()); }

  Status put_at(const Labels& labels, int64_t at, double value) {
    return put(*run_.store, labels, run_.start_ms + at, value);
  }
  Lines all(int64_t from = kFarPast, int64_t to = kFarFuture) {
    return dump(*run_.store, {}, run_.start_ms + from, run_.start_ms + to, run_.start_ms);
  }
  static model::Matchers job_is(std::string job) {
    return {*Matcher::create(MatchOp::kEqual, "job", std::move(job))};
  }

  StoreTestRun run_;
  const Labels a_ = {{"__name__", "up"}, {"job", "a"}};
  const Labels b_ = {{"__name__", "up"}, {"job", "b"}};
};

TEST_F(MetricStoreTest, AnswersInLabelOrderWithinTheRange) {
  ASSERT_TRUE(put_at(b_, 0, 10));
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(put_at(a_, 1000, 2));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0 2@1000)", R"(up{job="b"} 10@0)"}));
  EXPECT_EQ(all(1, 1000), (Lines{R"(up{job="a"} 2@1000)"}));
}

TEST_F(MetricStoreTest, NothingIsVisibleBeforeCommit) {
  const auto appender = run_.store->appender();
  ASSERT_TRUE(appender->append(model::kNoSeries, a_, {run_.start_ms, 1}));
  EXPECT_EQ(all(), Lines{});
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0)"}));
}

TEST_F(MetricStoreTest, ARefSparesTheLabelsAndAForgottenOneSaysSo) {
  auto appender = run_.store->appender();
  const auto ref = appender->append(model::kNoSeries, a_, {run_.start_ms, 1});
  ASSERT_TRUE(ref);
  EXPECT_EQ(*appender->append(*ref, {}, {run_.start_ms + 1, 2}), *ref);
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(appender->append(*ref + 16, {}, {run_.start_ms, 1}).error().code, Code::kNotFound);
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0 2@1)"}));
}

TEST_F(MetricStoreTest, KnownSamplesGoInUpToAForgottenOneAndCountInTheBatch) {
  auto appender = run_.store->appender();
  const model::SeriesRef a = *appender->append(model::kNoSeries, a_, {run_.start_ms, 1});
  const model::SeriesRef b = *appender->append(model::kNoSeries, b_, {run_.start_ms, 1});
  const std::vector<model::KnownSample> samples = {{a, {run_.start_ms + 1, 2}},
                                                   {b, {run_.start_ms + 1, 3}},
                                                   {a + 16, {run_.start_ms + 2, 4}},
                                                   {b, {run_.start_ms, 5}}};
  EXPECT_EQ(appender->append_known(samples), 2u);
  EXPECT_EQ(appender->append_known({&samples[3], 1}), 1u);
  const auto report = appender->commit();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stored, 4u);
  ASSERT_EQ(report->refused.size(), 1u);
  EXPECT_EQ(report->refused[0].index, 5u);  // another value at that time
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0 2@1)", R"(up{job="b"} 1@0 3@1)"}));
}

TEST_F(MetricStoreTest, TheBadOfABatchIsRefusedWithItsReasonAndTheRestGoesIn) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  const auto appender = run_.store->appender();
  const int64_t now = run_.start_ms;
  for (const auto& [at, value] : std::vector<std::pair<int64_t, double>>{{1000, 2},
                                                                         {0, 7},
                                                                         {0, 1},
                                                                         {700'000, 7},
                                                                         {-25 * kHourMs, 7},
                                                                         {-2 * kHourMs, 7},
                                                                         {-10, 3}})
    ASSERT_TRUE(appender->append(model::kNoSeries, a_, {now + at, value}));
  const auto report = appender->commit();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stored, 3u);
  std::vector<std::pair<size_t, Code>> refused;
  for (const auto& refusal : report->refused)
    refused.emplace_back(refusal.index, refusal.error.code);
  EXPECT_EQ(refused, (std::vector<std::pair<size_t, Code>>{{1, Code::kAlreadyExists},
                                                           {3, Code::kOutOfRange},
                                                           {4, Code::kOutOfRange},
                                                           {5, Code::kOutOfRange}}));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 3@-10 1@0 2@1000)"}));
}

TEST_F(MetricStoreTest, TheLastValueWinsWhereThatIsSet) {
  StoreOptions options = run_.options_;
  options.limits.last_value_wins = true;
  run_.store->set_options(options);
  ASSERT_TRUE(put_at(a_, 0, 1));
  ASSERT_TRUE(put_at(a_, 0, 2));
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 2@0)"}));
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 2@0)"}));
}

TEST_F(MetricStoreTest, LimitsNameTheirSetting) {
  StoreOptions options = run_.options_;
  options.limits.max_series = 3;
  options.limits.max_series_per_job = 1;
  run_.store->set_options(options);
  ASSERT_TRUE(put_at(a_, 0, 1));
  const auto job = put_at(Labels{{"__name__", "down"}, {"job", "a"}}, 0, 1);
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, Code::kResourceExhausted);
  EXPECT_THAT(job.error().message, HasSubstr("storage.max_series_per_job"));
  ASSERT_TRUE(put_at(b_, 0, 1));
  ASSERT_TRUE(put_at(Labels{{"__name__", "x"}}, 0, 1));
  EXPECT_THAT(put_at(Labels{{"__name__", "y"}}, 0, 1).error().message,
              HasSubstr("storage.max_series"));
  EXPECT_TRUE(put_at(a_, 1, 1));
}

TEST_F(MetricStoreTest, NewSeriesAreRefusedBeyondTheMemoryAndOldOnesGoOn) {
  StoreOptions options = run_.options_;
  options.limits.max_head_bytes = 1;
  run_.store->set_options(options);
  ASSERT_TRUE(put_at(a_, 0, 1));
  run_.store->upkeep_once();  // looks at the memory
  const auto refused = put_at(b_, 0, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("storage.max_head_bytes"));
  EXPECT_TRUE(put_at(a_, 1, 1));
}

TEST_F(MetricStoreTest, WhatWasAcknowledgedIsThereAfterAPowerCut) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(put_at(i % 2 == 0 ? a_ : b_, i, i));
  const Lines before = all();
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), before);
}

TEST_F(MetricStoreTest, ACleanStopLeavesNothingToReplay) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(put_at(a_, i, i));
  ASSERT_TRUE(put_at(a_, -5, 5));
  const Lines before = all();
  run_.close();
  const Status opened = run_.open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(run_.store->status().replayed_samples, 0u);
  EXPECT_EQ(all(), before);
  ASSERT_TRUE(put_at(a_, 100, 1));  // the ref of the log holds on
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(100, 100), (Lines{R"(up{job="a"} 1@100)"}));
}

TEST_F(MetricStoreTest, ABlockAndTheHeadAnswerAsOne) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put_at(a_, i * 1000, i));
  const Lines before = all();
  ASSERT_TRUE(run_.store->flush(run_.start_ms + 150'000));
  EXPECT_GT(run_.store->status().blocks, 0u);
  EXPECT_EQ(all(), before);
  ASSERT_TRUE(put_at(a_, 149'999, 7));  // late, into a range that is sealed
  ASSERT_TRUE(run_.store->flush(kFarFuture));
  Lines after = all();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_THAT(after[0], HasSubstr(" 149@149000 7@149999 150@150000 "));
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), after);
}

TEST_F(MetricStoreTest, DeletedSamplesStayAway) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(put_at(a_, i, i));
    ASSERT_TRUE(put_at(b_, i, i));
    if (i == 50) ASSERT_TRUE(run_.store->flush(kFarFuture));
  }
  ASSERT_TRUE(run_.store->delete_series(job_is("a"), run_.start_ms + 1, run_.start_ms + 98));
  EXPECT_EQ(all()[0], R"(up{job="a"} 0@0 99@99)");
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all()[0], R"(up{job="a"} 0@0 99@99)");
  EXPECT_THAT(all()[1], HasSubstr(" 50@50 "));
}

TEST_F(MetricStoreTest, ASecondProcessIsKeptOut) {
  Registry registry;
  const auto second = MetricStore::open("data", {}, run_.files, run_.clock, run_.random, registry);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
}

TEST_F(MetricStoreTest, MetadataSurvives) {
  auto appender = run_.store->appender();
  appender->append_metadata("up", {model::MetricType::kGauge, "Whether it is up.", ""});
  ASSERT_TRUE(appender->commit());
  appender.reset();
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  const auto all_words = run_.store->metadata();
  ASSERT_EQ(all_words.size(), 1u);
  EXPECT_EQ(all_words[0].second.help, "Whether it is up.");
}

TEST_F(MetricStoreTest, AFullDiskRefusesWritesAndReadsGoOnUntilThereIsRoom) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  run_.files.set_capacity(0);
  const Status refused = put_at(a_, 1, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(put_at(a_, 2, 3).error().code, Code::kUnavailable);
  EXPECT_THAT(all()[0], HasSubstr("1@0"));
  run_.store->upkeep_once();
  EXPECT_FALSE(run_.store->writable());
  run_.files.set_capacity(std::nullopt);
  run_.store->upkeep_once();
  EXPECT_TRUE(run_.store->writable());
  // The client sends again what was not acknowledged.
  ASSERT_TRUE(put_at(a_, 1, 2));
  ASSERT_TRUE(put_at(a_, 2, 3));
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0 2@1 3@2)"}));
}

TEST_F(MetricStoreTest, SeriesWithoutSamplesAreForgottenAfterTheSecondFlush) {
  ASSERT_TRUE(put_at(a_, 0, 1));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run_.store->status().series, 1u);
    ASSERT_TRUE(run_.store->flush(kFarFuture));
  }
  EXPECT_EQ(run_.store->status().series, 0u);
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0)"}));
  ASSERT_TRUE(put_at(a_, 1, 2));
  run_.crash(Crash::kPowerCut);
  ASSERT_TRUE(run_.open());
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0 2@1)"}));
}

TEST_F(MetricStoreTest, ASeriesThatABatchKnowsIsNotForgotten) {
  const auto appender = run_.store->appender();
  ASSERT_TRUE(appender->append(model::kNoSeries, a_, {run_.start_ms, 1}));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(run_.store->flush(kFarFuture));
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(all(), (Lines{R"(up{job="a"} 1@0)"}));
}

TEST_F(MetricStoreTest, AQuerySeesAWholeCommitOrNoneOfIt) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; i <= 3000; ++i) {
      const auto appender = run_.store->appender();
      (void)appender->append(model::kNoSeries, a_, {run_.start_ms + i, static_cast<double>(i)});
      (void)appender->append(model::kNoSeries, b_, {run_.start_ms + i, static_cast<double>(i)});
      (void)appender->commit();
    }
    stop = true;
  });
  do {
    const auto querier = *run_.store->querier(run_.start_ms, run_.start_ms + 10'000);
    const auto set = *querier->select({}, {});
    model::SeriesColumns columns;
    std::vector<size_t> sizes;
    while (set->next(columns)) sizes.push_back(columns.values.size());
    if (!sizes.empty()) {
      ASSERT_EQ(sizes.size(), 2u);
      ASSERT_EQ(sizes[0], sizes[1]);
    }
  } while (!stop);
  writer.join();
}

}  // namespace
}  // namespace binnacle::store::metrics
