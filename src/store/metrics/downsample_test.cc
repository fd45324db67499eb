#include "store/metrics/downsample.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/fault_file_system.h"
#include "model/sample.h"
#include "store/metrics/testing/block_data.h"

namespace binnacle::store::metrics {
namespace {

struct Points {
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

Points tier(const std::vector<int64_t>& times_ms, const std::vector<double>& values,
            Aggregate aggregate) {
  Points out;
  downsample(times_ms, values, 100, aggregate, out.times_ms, out.values);
  return out;
}

using Values = std::vector<double>;

TEST(DownsampleTest, EachWindowHasItsValues) {
  const std::vector<int64_t> times = {-1, 0, 50, 99, 100, 350};
  const Values values = {4, 3, 5, 1, 2, 7};
  EXPECT_EQ(tier(times, values, Aggregate::kCount).times_ms,
            (std::vector<int64_t>{-1, 99, 199, 399}));
  EXPECT_EQ(tier(times, values, Aggregate::kCount).values, (Values{1, 3, 1, 1}));
  EXPECT_EQ(tier(times, values, Aggregate::kSum).values, (Values{4, 9, 2, 7}));
  EXPECT_EQ(tier(times, values, Aggregate::kMin).values, (Values{4, 1, 2, 7}));
  EXPECT_EQ(tier(times, values, Aggregate::kMax).values, (Values{4, 5, 2, 7}));
  EXPECT_EQ(tier(times, values, Aggregate::kLast).values, (Values{4, 1, 2, 7}));
  // 4 to 3: restart, 3; to 5: 2; to 1: restart, 1; to 2: 1; to 7: 5.
  EXPECT_EQ(tier(times, values, Aggregate::kIncrease).values, (Values{0, 6, 1, 5}));
}

TEST(DownsampleTest, StaleMarkersAreNoSamplesAndNanIsIgnoredByExtremes) {
  const std::vector<int64_t> times = {1, 2, 3, 101, 201, 202};
  const Values values = {NAN, 3, 5, model::stale_nan(), NAN, NAN};
  EXPECT_EQ(tier(times, values, Aggregate::kCount).values, (Values{3, 2}));
  EXPECT_EQ(tier(times, values, Aggregate::kMin).values[0], 3);
  EXPECT_EQ(tier(times, values, Aggregate::kMax).values[0], 5);
  EXPECT_TRUE(std::isnan(tier(times, values, Aggregate::kMax).values[1]));
  EXPECT_EQ(tier(times, values, Aggregate::kIncrease).values, (Values{2, 0}));
}

TEST(DownsampleTest, ATierBlockHoldsSixSeriesForEach) {
  FaultFileSystem files;
  ASSERT_TRUE(files.create_directories("/blocks"));
  testing::TestData data = testing::make_test_data({.nodes = 3, .samples = 60});
  // Labels that sort before the label of the aggregate.
  data[model::Labels{{"A", "1"}}] = data.begin()->second;
  data[model::Labels{{"A", "1"}, {"B", "2"}}] = data.begin()->second;
  data[model::Labels()] = data.begin()->second;
  const auto meta = testing::write_block(files, "/blocks", data, testing::test_meta(1));
  const auto raw = *Block::open(files, "/blocks/" + meta->ulid);
  const auto made =
      downsample_block(files, "/blocks", *raw, 300'000, testing::test_meta(2).ulid, {});
  ASSERT_TRUE(made) << made.error().message;

  testing::TestData wanted;
  for (const auto& [labels, series] : data) {
    for (const Aggregate aggregate : kAggregates) {
      testing::TestSeries points;
      downsample(series.times_ms, series.values, 300'000, aggregate, points.times_ms,
                 points.values);
      const auto with =
          model::LabelsBuilder(labels).set(kAggregateLabel, aggregate_name(aggregate)).build();
      wanted[with] = points;
    }
  }
  const auto block = *Block::open(files, "/blocks/" + made->ulid);
  EXPECT_EQ(testing::difference(*block, wanted), "");
  EXPECT_EQ(made->resolution_ms, 300'000);
  EXPECT_TRUE(made->parents.empty());
}

}  // namespace
}  // namespace binnacle::store::metrics
