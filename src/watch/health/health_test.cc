#include "watch/health/health.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

TEST(Health, EachHasANameThatLeadsBack) {
  for (const Health health : {Health::kHealthy, Health::kDegraded, Health::kCritical,
                              Health::kFailed, Health::kUnknown}) {
    EXPECT_EQ(health_of_name(health_name(health)), health);
  }
  EXPECT_EQ(health_of_name("well"), std::nullopt);
}

}  // namespace
}  // namespace binnacle::watch::health
