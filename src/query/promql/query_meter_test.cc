#include "query/promql/query_meter.h"

#include <gtest/gtest.h>

namespace binnacle::query::promql {
namespace {

TEST(QueryMeter, ChargesNameTheLimit) {
  SimulatedClock clock;
  QueryMeter meter({.max_series = 2, .max_samples = 10, .max_bytes = 100}, clock, nullptr);
  EXPECT_TRUE(meter.charge_series(2));
  EXPECT_NE(meter.charge_series(1).error().message.find("query.max_series"), std::string::npos);
  EXPECT_TRUE(meter.charge_samples(10));
  EXPECT_NE(meter.charge_samples(1).error().message.find("query.max_samples"), std::string::npos);
  EXPECT_TRUE(meter.charge_bytes(100));
  EXPECT_NE(meter.charge_bytes(1).error().message.find("query.max_bytes"), std::string::npos);
  meter.release_bytes(50);
  EXPECT_TRUE(meter.charge_bytes(10));
  EXPECT_EQ(meter.peak_bytes(), 101u);
}

TEST(QueryMeter, ChargesThatTurnOverAreRefused) {
  SimulatedClock clock;
  QueryMeter meter({.max_bytes = 1000}, clock, nullptr);
  EXPECT_TRUE(meter.charge_columns(3, 10));
  EXPECT_EQ(meter.held_bytes(), 240u);
  EXPECT_FALSE(meter.charge_bytes(SIZE_MAX - 100));
  meter.release_bytes(SIZE_MAX - 100);
  EXPECT_FALSE(meter.charge_columns(4, size_t{1} << 61));  // 2^66 bytes
}

TEST(QueryMeter, ValuesThatAreComputedCountAsWork) {
  SimulatedClock clock;
  QueryMeter meter({.timeout_ms = 1000}, clock, nullptr);
  clock.advance_ms(1001);
  EXPECT_TRUE(meter.work(1000));
  EXPECT_FALSE(meter.work(size_t{1} << 20));
}

// Whoever computes charges bytes, even where no more samples are read.
TEST(QueryMeter, WhoHoldsBytesLearnsThatTimeIsUpOrTheCallerLeft) {
  SimulatedClock clock;
  std::atomic<bool> gone = false;
  QueryMeter meter({.timeout_ms = 1000}, clock, &gone);
  EXPECT_TRUE(meter.charge_bytes(1));
  clock.advance_ms(1001);
  EXPECT_EQ(meter.charge_bytes(1).error().code, Code::kDeadlineExceeded);
  gone = true;
  EXPECT_EQ(meter.charge_bytes(1).error().code, Code::kCancelled);
  EXPECT_EQ(meter.check().error().code, Code::kCancelled);
}

}  // namespace
}  // namespace binnacle::query::promql
