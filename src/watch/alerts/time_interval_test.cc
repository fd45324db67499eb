#include "watch/alerts/time_interval.h"

#include <gtest/gtest.h>

#include <string>

#include "base/time_text.h"
#include "base/time_zone.h"
#include "watch/alerts/time_interval_yaml.h"

namespace binnacle::watch::alerts {
namespace {

int64_t at(const char* text) {
  const auto parsed = parse_rfc3339_ms(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : 0;
}

std::vector<TimeInterval> read(const std::string& yaml) {
  YamlDocument document("f", yaml);
  auto out = read_time_intervals(document.root());
  EXPECT_TRUE(document.status()) << document.status().error().message;
  return out;
}

std::string problem_of(const std::string& yaml) {
  YamlDocument document("f", yaml);
  read_time_intervals(document.root());
  return document.status() ? "" : document.status().error().message;
}

bool contains(const std::string& fields, const char* time) {
  return read("[{" + fields + "}]").at(0).contains(at(time));
}

TEST(TimeInterval, TimesEndBeforeTheirEnd) {
  const std::string day = "times: [{start_time: '09:00', end_time: '17:00'}]";
  EXPECT_FALSE(contains(day, "2026-03-02T08:59:59Z"));
  EXPECT_TRUE(contains(day, "2026-03-02T09:00:00Z"));
  EXPECT_TRUE(contains(day, "2026-03-02T16:59:59Z"));
  EXPECT_FALSE(contains(day, "2026-03-02T17:00:00Z"));
  EXPECT_TRUE(
      contains("times: [{start_time: '23:00', end_time: '24:00'}]", "2026-03-02T23:59:00Z"));
  EXPECT_TRUE(contains("", "2026-03-02T23:59:00Z"));
}

TEST(TimeInterval, WeekdaysMonthsAndYearsIncludeTheirEnd) {
  EXPECT_TRUE(contains("weekdays: ['monday:friday']", "2026-03-06T12:00:00Z"));
  EXPECT_FALSE(contains("weekdays: ['Monday:Friday']", "2026-03-07T12:00:00Z"));
  EXPECT_TRUE(contains("weekdays: [sunday]", "2026-03-08T12:00:00Z"));
  EXPECT_TRUE(contains("months: ['january:march', 7]", "2026-03-31T23:59:59Z"));
  EXPECT_FALSE(contains("months: ['january:march', 7]", "2026-04-01T00:00:00Z"));
  EXPECT_TRUE(contains("months: ['1:3', July]", "2026-07-01T00:00:00Z"));
  EXPECT_TRUE(contains("years: ['2020:2026']", "2026-12-31T23:59:59Z"));
  EXPECT_FALSE(contains("years: [2025]", "2026-01-01T00:00:00Z"));
}

TEST(TimeInterval, NegativeDaysCountFromTheMonthsEnd) {
  EXPECT_TRUE(contains("days_of_month: ['-1']", "2026-02-28T00:00:00Z"));
  EXPECT_FALSE(contains("days_of_month: ['-1']", "2028-02-28T00:00:00Z"));  // a leap year
  EXPECT_TRUE(contains("days_of_month: ['-1']", "2028-02-29T00:00:00Z"));
  EXPECT_TRUE(contains("days_of_month: ['-3:-2']", "2026-04-28T00:00:00Z"));
  EXPECT_FALSE(contains("days_of_month: ['-3:-2']", "2026-04-30T00:00:00Z"));
  EXPECT_TRUE(contains("days_of_month: ['20:-1']", "2026-04-30T00:00:00Z"));
  EXPECT_FALSE(contains("days_of_month: ['29:31']", "2026-02-28T00:00:00Z"));
  EXPECT_TRUE(contains("days_of_month: ['25:31']", "2026-02-28T00:00:00Z"));
}

TEST(TimeInterval, EveryPartHasToHold) {
  const std::string both = "weekdays: [monday], months: [march]";
  EXPECT_TRUE(contains(both, "2026-03-02T00:00:00Z"));
  EXPECT_FALSE(contains(both, "2026-03-03T00:00:00Z"));
  EXPECT_FALSE(contains(both, "2026-04-06T00:00:00Z"));
}

TEST(TimeInterval, LocationsFollowTheirClocks) {
  const std::string night =
      "location: Europe/Berlin, times: [{start_time: '02:00', end_time: '03:00'}]";
  EXPECT_TRUE(contains(night, "2026-01-10T01:30:00Z"));
  EXPECT_TRUE(contains(night, "2026-07-10T00:30:00Z"));
  // In spring the hour does not exist, in autumn it comes twice.
  EXPECT_FALSE(contains(night, "2026-03-29T00:59:59Z"));
  EXPECT_FALSE(contains(night, "2026-03-29T01:00:00Z"));
  EXPECT_TRUE(contains(night, "2026-10-25T00:30:00Z"));
  EXPECT_TRUE(contains(night, "2026-10-25T01:30:00Z"));
  EXPECT_FALSE(contains(night, "2026-10-25T02:00:00Z"));
  // A day of its own beyond the date line.
  EXPECT_TRUE(contains("location: Pacific/Auckland, weekdays: [tuesday]", "2026-03-02T12:00:00Z"));
  EXPECT_TRUE(contains("location: Asia/Kolkata, times: [{start_time: '05:30', end_time: '05:31'}]",
                       "2026-03-02T00:00:00Z"));
}

TEST(TimeInterval, OnlyNamesOfTheDatabaseAreZones) {
  for (const char* name : {"UTC", "", "Local", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    EXPECT_TRUE(check_time_zone(name)) << name;
  }
  for (const char* name : {"Europe/Atlantis", "/etc/passwd", "../zoneinfo/UTC", "file:UTC",
                           "libc:localtime", "Fixed/UTC+01:00:00", "Europe"}) {
    EXPECT_FALSE(check_time_zone(name)) << name;
  }
}

TEST(TimeInterval, BadGrammarIsNamed) {
  const std::pair<const char*, const char*> kBad[] = {
      {"times: [{start_time: '9:00', end_time: '10:00'}]", "no time of day (9:00)"},
      {"times: [{start_time: '10:00', end_time: '10:00'}]", "not before end_time"},
      {"times: [{start_time: '10:00', end_time: '24:01'}]", "no time of day"},
      {"times: [{start_time: '10:00'}]", "end_time is missing"},
      {"weekdays: [mon]", "no weekday or range of them (mon): one of sunday"},
      {"weekdays: [1]", "no weekday"},
      {"weekdays: ['friday:monday']", "ends before it begins"},
      {"months: ['13']", "no month"},
      {"months: [foo]", "or january"},
      {"days_of_month: ['0']", "begin at 1"},
      {"days_of_month: ['32']", "no day of the month"},
      {"days_of_month: ['-1:5']", "write a negative day at the end"},
      {"days_of_month: ['20:10']", "ends before it begins"},
      {"days_of_month: ['-1:-3']", "ends before it begins"},
      {"years: ['2026:2020']", "ends before it begins"},
      {"years: ['2020:2021:2022']", "no year"},
      {"location: Nowhere/Land", "no time zone (Nowhere/Land)"},
      {"weekday: [monday]", "did you mean weekdays?"}};
  for (const auto& [fields, part] : kBad) {
    const std::string message = problem_of(std::string("[{") + fields + "}]");
    EXPECT_NE(message.find(part), std::string::npos) << fields << "\n" << message;
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
