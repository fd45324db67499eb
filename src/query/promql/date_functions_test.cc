#include <gtest/gtest.h>

#include <ctime>
#include <limits>

#include "query/promql/column_functions.h"
#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

double date(std::string_view name, double seconds) {
  const ColumnFunction function = find_date_function(name);
  double out = 0;
  function({&seconds, 1}, {&out, 1});
  return out;
}

int days_in(std::tm tm) {
  tm.tm_mday = 32;
  tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
  const std::time_t later = timegm(&tm);
  gmtime_r(&later, &tm);
  return 32 - tm.tm_mday;
}

void expect_as_library(std::time_t seconds) {
  SCOPED_TRACE(seconds);
  std::tm tm{};
  ASSERT_NE(gmtime_r(&seconds, &tm), nullptr);
  const auto value = static_cast<double>(seconds);
  ASSERT_EQ(date("year", value), tm.tm_year + 1900.0);
  ASSERT_EQ(date("month", value), tm.tm_mon + 1.0);
  ASSERT_EQ(date("day_of_month", value), tm.tm_mday);
  ASSERT_EQ(date("day_of_year", value), tm.tm_yday + 1.0);
  ASSERT_EQ(date("day_of_week", value), tm.tm_wday);
  ASSERT_EQ(date("days_in_month", value), days_in(tm));
  ASSERT_EQ(date("hour", value), tm.tm_hour);
  ASSERT_EQ(date("minute", value), tm.tm_min);
}

TEST(DateFunctions, AreTheLibrarysCalendar) {
  // Every third day of 2,400 years, at another second of the day each.
  const std::time_t from = -62'135'596'800 - 86'400LL * 400;
  for (std::time_t day = 0; day < 2400 * 366; day += 3) {
    ASSERT_NO_FATAL_FAILURE(expect_as_library(from + day * 86'400 + day * 7'919 % 86'400));
  }
  // Far out, while a double still holds a second.
  for (std::time_t i = -5000; i < 5000; ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_as_library(i * 1'700'000'000'017));
  }
}

TEST(DateFunctions, FractionsAreCutTowardsZero) {
  EXPECT_EQ(date("minute", 119.9), 1);
  EXPECT_EQ(date("minute", 60 - 0.5), 0);
  EXPECT_EQ(date("minute", -0.9), 0);
  EXPECT_EQ(date("hour", -0.9), 0);
  EXPECT_EQ(date("year", -1.5), 1969);
}

TEST(DateFunctions, WhatIsNoTimeIsTheLastOne) {
  for (const double v : {std::numeric_limits<double>::quiet_NaN(),
                         std::numeric_limits<double>::infinity(), -1e300}) {
    EXPECT_EQ(date("year", v), 292277026596);
    EXPECT_EQ(date("month", v), 12);
    EXPECT_EQ(date("day_of_month", v), 4);
    EXPECT_EQ(date("hour", v), 15);
    EXPECT_EQ(date("minute", v), 30);
  }
}

TEST(DateFunctions, RowsAndTheStepsTimeWithoutOne) {
  EXPECT_EQ(FunctionCall("minute", 3).vector({{{{"__name__", "t"}}, {59, 60, kNone}}}).rows(),
            "t drop 0 1 _\n");
  EXPECT_EQ(FunctionCall("minute", 3, 3'599'999).rows(), "{} 59 0 1\n");
  EXPECT_EQ(FunctionCall("year", 1, 1'700'000'000'000).rows(), "{} 2023\n");
  EXPECT_EQ(FunctionCall("days_in_month", 1, 1'709'164'800'000).rows(), "{} 29\n");
}

}  // namespace
}  // namespace binnacle::query::promql
