#include "store/metrics/memory_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchOp;

class MemoryStoreTest : public testing::Test {
 protected:
  Status put(const Labels& labels, int64_t timestamp_ms, double value) {
    auto appender = store_.appender();
    if (auto ref = appender->append(model::kNoSeries, labels, {timestamp_ms, value}); !ref)
      return fail(ref.error());
    auto report = appender->commit();
    if (!report) return fail(report.error());
    if (!report->refused.empty()) return fail(report->refused.front().error);
    return {};
  }

  // "up{job="a"} 1@0 2@15000" per series, times relative to start_.
  std::vector<std::string> select(const model::Matchers& matchers, int64_t from, int64_t to) {
    auto querier = store_.querier(start_ + from, start_ + to);
    auto set = (*querier)->select(matchers, {});
    std::vector<std::string> out;
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      std::string line = columns.labels.to_string();
      for (size_t i = 0; i < columns.values.size(); ++i) {
        line += " " + std::to_string(static_cast<int>(columns.values[i])) + "@" +
                std::to_string(columns.timestamps_ms[i] - start_);
      }
      out.push_back(line);
    }
    return out;
  }

  static model::Matchers name_is(std::string name) {
    return {*Matcher::create(MatchOp::kEqual, "__name__", std::move(name))};
  }

  SimulatedClock clock_;
  Registry registry_;
  MemoryStore store_{
      MemoryStoreOptions{.retention_ms = 60'000, .max_series = 3, .max_ahead_ms = 10'000}, clock_,
      registry_};
  const int64_t start_ = clock_.wall_ms();
  const Labels a_ = {{"__name__", "up"}, {"job", "a"}};
  const Labels b_ = {{"__name__", "up"}, {"job", "b"}};
};

using Lines = std::vector<std::string>;

TEST_F(MemoryStoreTest, AnswersInLabelOrderWithinTheRangeBothEndsIncluded) {
  ASSERT_TRUE(put(b_, start_, 10));
  ASSERT_TRUE(put(a_, start_, 1));
  ASSERT_TRUE(put(a_, start_ + 1000, 2));
  ASSERT_TRUE(put(a_, start_ + 2000, 3));
  EXPECT_EQ(select(name_is("up"), 0, 1000),
            (Lines{R"(up{job="a"} 1@0 2@1000)", R"(up{job="b"} 10@0)"}));
  EXPECT_EQ(select(name_is("up"), 1, 2000), (Lines{R"(up{job="a"} 2@1000 3@2000)"}));
  EXPECT_EQ(select(name_is("down"), 0, 2000), Lines{});
}

TEST_F(MemoryStoreTest, AnUnknownReferenceWithoutLabelsIsNotFound) {
  auto appender = store_.appender();
  const auto refused = appender->append(77, {}, {start_, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotFound);
  const auto ref = appender->append(77, a_, {start_, 1});
  ASSERT_TRUE(ref);
  EXPECT_TRUE(appender->append(*ref, {}, {start_ + 1, 2}));
}

TEST_F(MemoryStoreTest, NothingIsVisibleBeforeCommitOrAfterRollback) {
  auto appender = store_.appender();
  ASSERT_TRUE(appender->append(model::kNoSeries, a_, {start_, 1}));
  EXPECT_EQ(select(name_is("up"), 0, 0), Lines{});
  appender->rollback();
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(select(name_is("up"), 0, 0), Lines{});
}

TEST_F(MemoryStoreTest, BadSamplesAreRefusedAndTheGoodOfTheBatchStay) {
  ASSERT_TRUE(put(a_, start_, 1));
  auto appender = store_.appender();
  const auto ref = appender->append(model::kNoSeries, a_, {start_ + 1000, 2});
  ASSERT_TRUE(ref);
  EXPECT_TRUE(appender->append(*ref, a_, {start_, 7}));
  EXPECT_TRUE(appender->append(*ref, a_, {start_ + 10'001, 7}));
  EXPECT_TRUE(appender->append(*ref, a_, {start_ - 60'001, 7}));
  EXPECT_TRUE(appender->append(*ref, a_, {start_, 1}));  // the same sample again is fine
  const auto report = appender->commit();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stored, 2u);
  ASSERT_EQ(report->refused.size(), 3u);
  EXPECT_EQ(report->refused[0].index, 1u);
  EXPECT_EQ(report->refused[0].error.code, Code::kAlreadyExists);
  EXPECT_EQ(report->refused[1].error.code, Code::kOutOfRange);
  EXPECT_EQ(report->refused[2].index, 3u);
  EXPECT_EQ(report->refused[2].error.code, Code::kOutOfRange);
  EXPECT_EQ(select(name_is("up"), 0, 10'000), (Lines{R"(up{job="a"} 1@0 2@1000)"}));
}

TEST_F(MemoryStoreTest, SeriesAreBoundedAndTheLimitIsNamed) {
  ASSERT_TRUE(put(a_, start_, 1));
  ASSERT_TRUE(put(b_, start_, 1));
  ASSERT_TRUE(put(Labels{{"__name__", "x"}}, start_, 1));
  const Status refused = put(Labels{{"__name__", "y"}}, start_, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("storage.max_series"), std::string::npos);
  EXPECT_TRUE(put(a_, start_ + 1, 2));
}

TEST_F(MemoryStoreTest, OldSamplesAndEmptySeriesAreDropped) {
  ASSERT_TRUE(put(a_, start_, 1));
  ASSERT_TRUE(put(b_, start_, 1));
  clock_.advance_ms(59'000);
  ASSERT_TRUE(put(a_, start_ + 59'000, 2));
  clock_.advance_ms(61'000);
  ASSERT_TRUE(put(Labels{{"__name__", "x"}}, start_ + 120'000, 1));  // sweeps
  EXPECT_EQ(store_.series_count(), 1u);
  EXPECT_EQ(select(name_is("up"), 0, 200'000), Lines{});
  ASSERT_TRUE(put(b_, start_ + 120'000, 3));
  EXPECT_EQ(select(name_is("up"), 0, 200'000), (Lines{R"(up{job="b"} 3@120000)"}));
}

TEST_F(MemoryStoreTest, AStaleRefIsResolvedByItsLabels) {
  auto appender = store_.appender();
  const auto ref = appender->append(model::kNoSeries, a_, {start_, 1});
  ASSERT_TRUE(appender->commit());
  clock_.advance_ms(120'000);
  ASSERT_TRUE(put(b_, start_ + 120'000, 1));  // sweeps a_
  ASSERT_TRUE(appender->append(*ref, a_, {start_ + 120'000, 2}));
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(select(name_is("up"), 0, 200'000),
            (Lines{R"(up{job="a"} 2@120000)", R"(up{job="b"} 1@120000)"}));
}

TEST_F(MemoryStoreTest, ASweepBetweenAppendAndCommitLosesNothing) {
  auto appender = store_.appender();
  ASSERT_TRUE(appender->append(model::kNoSeries, a_, {start_, 1}));
  clock_.advance_ms(50'000);
  ASSERT_TRUE(put(b_, start_ + 50'000, 1));  // sweeps a_, which has no sample yet
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(select(name_is("up"), 0, 0), (Lines{R"(up{job="a"} 1@0)"}));
}

TEST_F(MemoryStoreTest, LabelNamesAndValuesAreSortedUniqueAndLimited) {
  ASSERT_TRUE(put(b_, start_, 1));
  ASSERT_TRUE(put(a_, start_, 1));
  ASSERT_TRUE(put(Labels{{"__name__", "x"}, {"zone", "eu"}}, start_, 1));
  auto querier = *store_.querier(start_, start_ + 1);
  EXPECT_EQ(*querier->label_names({}, 0), (Lines{"__name__", "job", "zone"}));
  EXPECT_EQ(*querier->label_names(name_is("up"), 0), (Lines{"__name__", "job"}));
  EXPECT_EQ(*querier->label_values("job", {}, 0), (Lines{"a", "b"}));
  EXPECT_EQ(*querier->label_values("job", {}, 1), (Lines{"a"}));
  auto earlier = *store_.querier(start_ - 10, start_ - 1);
  EXPECT_EQ(*earlier->label_names({}, 0), Lines{});
}

TEST_F(MemoryStoreTest, AQuerySeesAWholeCommitOrNoneOfIt) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 1; i <= 2000; ++i) {
      auto appender = store_.appender();
      (void)appender->append(model::kNoSeries, a_, {start_ + i, static_cast<double>(i)});
      (void)appender->append(model::kNoSeries, b_, {start_ + i, static_cast<double>(i)});
      (void)appender->commit();
    }
    stop = true;
  });
  do {
    auto querier = *store_.querier(start_, start_ + 10'000);
    auto set = *querier->select(name_is("up"), {});
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
