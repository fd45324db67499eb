#include "engine/pipeline/hop_times.h"

#include <gtest/gtest.h>

namespace binnacle::engine {
namespace {

TEST(HopTimes, DeadlineFollowsWhatWasLearned) {
  HopTimes times;
  const HopDeadlineOptions options;
  EXPECT_EQ(times.deadline(10, options), options.unlearned);
  for (int i = 0; i < 100; ++i) times.add(0.01, 10);
  EXPECT_EQ(times.deadline(10, options), options.least) << "5 x 10 ms is below a second";
  EXPECT_EQ(times.deadline(1000, options).count(), 5000) << "a prefill of a hundred times the work";
  EXPECT_EQ(times.deadline(1e9, options), options.most);
  EXPECT_NEAR(times.quantile(0.5), 0.01, 1e-12);
}

TEST(HopTimes, ForgetsWhatIsLongAgo) {
  HopTimes times;
  for (int i = 0; i < 256; ++i) times.add(1, 1);
  for (int i = 0; i < 256; ++i) times.add(0.001, 1);
  EXPECT_NEAR(times.quantile(1), 0.001, 1e-12);
  EXPECT_EQ(times.count(), 512U);
}

}  // namespace
}  // namespace binnacle::engine
