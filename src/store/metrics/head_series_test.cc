#include "store/metrics/head_series.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "store/metrics/commit_order.h"
#include "store/metrics/head_image.h"

namespace binnacle::store::metrics {
namespace {

using Samples = std::map<int64_t, double>;

Samples read(const HeadSeries& series, int64_t min_ms = INT64_MIN, int64_t max_ms = INT64_MAX,
             uint32_t hidden = 0) {
  HeadImage image;
  image.add(series, min_ms, max_ms, hidden, std::nullopt, false, [](std::string&) {});
  Samples out;
  if (image.size() == 0) return out;
  std::vector<int64_t> times;
  std::vector<double> values;
  EXPECT_TRUE(image.decode(0, min_ms, max_ms, times, values));
  for (size_t i = 0; i < times.size(); ++i) out[times[i]] = values[i];
  EXPECT_EQ(out.size(), times.size());
  return out;
}

TEST(HeadSeries, AgreesWithAMapUnderEveryOperation) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    HeadSeries series;
    Samples wanted;
    int64_t newest = 1'700'000'000'000;
    for (int i = 0; i < 400; ++i) {
      const uint64_t what = random.below(100);
      if (what < 85) {
        newest += 1 + static_cast<int64_t>(random.below(seed % 3 == 0 ? 1'000'000'000 : 15'000));
        const double value = static_cast<double>(random.below(1000));
        series.push(newest, value, static_cast<CommitNumber>(i + 1));
        wanted[newest] = value;
      } else if (what < 93 && !wanted.empty()) {
        const int64_t at = newest - static_cast<int64_t>(random.below(300'000));
        series.insert_late({at, 0.5, static_cast<uint64_t>(i), 0});
        wanted[at] = 0.5;
      } else if (what < 96) {
        const int64_t from = newest - static_cast<int64_t>(random.below(200'000));
        const int64_t to = from + static_cast<int64_t>(random.below(50'000));
        series.erase(from, to);
        std::erase_if(wanted, [&](const auto& s) { return s.first >= from && s.first <= to; });
      } else if (what < 98) {
        const int64_t end = newest - static_cast<int64_t>(random.below(1'000'000));
        series.drop_oldest(series.count_before(end));
        series.drop_late(end, UINT64_MAX);
        std::erase_if(wanted, [&](const auto& s) { return s.first < end; });
      }
      const int64_t at = newest - static_cast<int64_t>(random.below(100'000));
      const auto found = series.find(at);
      ASSERT_EQ(found.has_value(), wanted.contains(at));
      if (!wanted.empty()) ASSERT_EQ(series.first_ms(), wanted.begin()->first);
    }
    ASSERT_EQ(read(series), wanted) << seed;
    const int64_t middle = newest - 100'000;
    Samples part(wanted.lower_bound(middle), wanted.end());
    ASSERT_EQ(read(series, middle), part) << seed;
  }
}

TEST(HeadSeries, HidesTheNewestCommitFromAnOlderReader) {
  HeadSeries series;
  for (int i = 0; i < 100; ++i) series.push(i, i, static_cast<CommitNumber>(1 + i / 10));
  EXPECT_EQ(series.hidden_from(10), 0u);
  EXPECT_EQ(series.hidden_from(9), 10u);
  EXPECT_EQ(series.hidden_from(8), std::nullopt);  // two commits newer: cannot be told
  EXPECT_EQ(read(series, INT64_MIN, INT64_MAX, 10).rbegin()->first, 89);
  EXPECT_EQ(read(series, INT64_MIN, INT64_MAX, 50).rbegin()->first, 49);  // sealed ones too
  series.forget_commits(10);
  EXPECT_EQ(series.hidden_from(3), 0u);
}

TEST(HeadSeries, CommitNumbersMayWrap) {
  HeadSeries series;
  series.push(1, 1, UINT32_MAX);
  series.push(2, 2, 1);
  EXPECT_EQ(series.hidden_from(UINT32_MAX), 1u);
  EXPECT_EQ(series.hidden_from(1), 0u);
}

TEST(CommitOrder, ASnapshotEndsBeforeTheOldestOpenCommit) {
  CommitOrder order;
  EXPECT_EQ(order.snapshot(), 0u);
  const CommitNumber first = order.begin();
  EXPECT_EQ(order.snapshot(), first - 1);
  order.end(first);
  EXPECT_EQ(order.snapshot(), first);
  const CommitNumber second = order.begin();
  EXPECT_EQ(order.snapshot(), first);
  order.end(second);
  const CommitOrder::Hold hold(order);
  EXPECT_EQ(order.snapshot(), second);
}

}  // namespace
}  // namespace binnacle::store::metrics
