#include "watch/alerts/flap_detector.h"

#include <gtest/gtest.h>

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kMinuteMs = 60'000;

TEST(FlapDetectorTest, TooManyChangesWithinTheWindow) {
  FlapDetector flaps(3, 10 * kMinuteMs);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(flaps.changed(1, i * kMinuteMs));
  EXPECT_TRUE(flaps.changed(1, 3 * kMinuteMs));
  EXPECT_FALSE(flaps.changed(1, 4 * kMinuteMs)) << "it did before";
  EXPECT_TRUE(flaps.flapping(1));
  EXPECT_TRUE(flaps.take_calm(5 * kMinuteMs).calm.empty());
  EXPECT_EQ(flaps.take_calm(13 * kMinuteMs).calm.size(), 1U) << "half as many are left";
  EXPECT_FALSE(flaps.flapping(1));
}

TEST(FlapDetectorTest, NewBoundsHoldForWhatChangedBefore) {
  FlapDetector flaps(10, 10 * kMinuteMs);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(flaps.changed(1, i));
  flaps.set_bounds(3, 10 * kMinuteMs);
  EXPECT_TRUE(flaps.changed(1, 5));
  flaps.set_bounds(0, 10 * kMinuteMs);
  EXPECT_EQ(flaps.take_calm(6).calm.size(), 1U) << "nothing flaps where that is not looked for";
  EXPECT_FALSE(flaps.changed(1, 7));
  EXPECT_FALSE(flaps.flapping(1));
}

}  // namespace
}  // namespace binnacle::watch::alerts
