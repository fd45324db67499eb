#include "store/access/lockout.h"

#include <gtest/gtest.h>

#include <string>

namespace binnacle::store::access {
namespace {

constexpr LockoutPolicy kPolicy = {.free_failures = 3,
                                   .first_lock_ms = 1'000,
                                   .longest_lock_ms = 5'000,
                                   .forget_ms = 60'000,
                                   .max_addresses = 4};

int64_t locked_for(Lockout& lockout, int64_t now_ms, std::string_view address = "a") {
  return lockout.step(now_ms, Lockout::Event::kAttempt, address).locked_for_ms;
}

Lockout::Verdict failure(Lockout& lockout, int64_t now_ms, std::string_view address = "a") {
  return lockout.step(now_ms, Lockout::Event::kFailure, address);
}

TEST(Lockout, LocksGrowUpToTheLongest) {
  Lockout lockout(kPolicy);
  int64_t now_ms = 1'000;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(failure(lockout, now_ms).newly_locked);
    EXPECT_EQ(locked_for(lockout, now_ms), 0);
  }
  for (const int64_t expected_ms : {1'000, 2'000, 4'000, 5'000, 5'000}) {
    const Lockout::Verdict verdict = failure(lockout, now_ms);
    EXPECT_TRUE(verdict.newly_locked);
    EXPECT_EQ(verdict.locked_for_ms, expected_ms);
    EXPECT_EQ(locked_for(lockout, now_ms), expected_ms);
    EXPECT_EQ(locked_for(lockout, now_ms + expected_ms - 1), 1);
    now_ms += expected_ms;
    EXPECT_EQ(locked_for(lockout, now_ms), 0);
  }
}

TEST(Lockout, SuccessForgivesAndTimeForgets) {
  Lockout lockout(kPolicy);
  for (int i = 0; i < 4; ++i) failure(lockout, 0);
  EXPECT_GT(locked_for(lockout, 0), 0);
  lockout.step(1'000, Lockout::Event::kSuccess, "a");
  EXPECT_FALSE(failure(lockout, 1'000).newly_locked);

  for (int i = 0; i < 3; ++i) failure(lockout, 1'000, "b");
  EXPECT_FALSE(failure(lockout, 61'001, "b").newly_locked);
  EXPECT_EQ(locked_for(lockout, 61'001, "b"), 0);
}

TEST(Lockout, AddressesAreApartAndBounded) {
  Lockout lockout(kPolicy);
  for (int i = 0; i < 4; ++i) failure(lockout, 0, "locked");
  EXPECT_EQ(locked_for(lockout, 0, "other"), 0);
  for (int i = 0; i < 100; ++i) {
    failure(lockout, 0, std::to_string(i));
    EXPECT_GT(locked_for(lockout, 0, "locked"), 0) << "asked just now, so others make room";
  }
  EXPECT_EQ(lockout.size(), 4u);
}

}  // namespace
}  // namespace binnacle::store::access
