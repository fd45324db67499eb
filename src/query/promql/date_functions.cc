#include <array>
#include <cstdint>
#include <limits>

#include "query/promql/column_functions.h"

// The calendar is computed from days since the first of March of a year divisible by 400, so that a
// leap day is the last day of its year and every 400 years look alike. Source: H. Hinnant,
// "chrono-compatible low-level date algorithms". Seconds wrap at 2^64 as Go's do: what is no time
// at all (NaN) shows as the same far year as in Prometheus.
namespace binnacle::query::promql {
namespace {

constexpr uint64_t kSecondsPerDay = 86'400;
constexpr uint64_t kDaysPerEra = 146'097;  // 400 years
constexpr int64_t kZeroYear = -292'277'022'400;
constexpr uint64_t kErasToYearZero = 292'277'022'400 / 400;
constexpr uint64_t kDaysToEpoch = kErasToYearZero * kDaysPerEra + 719'468;

// NaN and what does not fit give the smallest number, as the processor's own conversion does.
int64_t whole_seconds(double v) {
  if (!(v >= -0x1p63 && v < 0x1p63)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(v);
}

uint64_t seconds_since_zero(double v) {
  return static_cast<uint64_t>(whole_seconds(v)) + kDaysToEpoch * kSecondsPerDay;
}

struct Date {
  int64_t year;
  unsigned month;        // 1 to 12
  unsigned day;          // 1 to 31
  unsigned day_of_year;  // 1 to 366
};

bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

Date date_of(double v) {
  const uint64_t days = seconds_since_zero(v) / kSecondsPerDay;
  const uint64_t era = days / kDaysPerEra;
  const auto day_of_era = static_cast<unsigned>(days % kDaysPerEra);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned from_march =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned march_month = (5 * from_march + 2) / 153;  // 0: March
  const bool next_year = march_month >= 10;
  Date date{};
  date.year = kZeroYear + static_cast<int64_t>(era * 400 + year_of_era) + (next_year ? 1 : 0);
  date.month = next_year ? march_month - 9 : march_month + 3;
  date.day = from_march - (153 * march_month + 2) / 5 + 1;
  date.day_of_year =
      next_year ? from_march - 306 + 1 : from_march + 59 + (is_leap(date.year) ? 1 : 0) + 1;
  return date;
}

double days_in_month(double v) {
  constexpr std::array<uint8_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const Date date = date_of(v);
  return kDays[date.month - 1] + (date.month == 2 && is_leap(date.year) ? 1 : 0);
}

double minute(double v) { return static_cast<double>(seconds_since_zero(v) / 60 % 60); }
double hour(double v) { return static_cast<double>(seconds_since_zero(v) / 3600 % 24); }
double day_of_month(double v) { return date_of(v).day; }
double day_of_year(double v) { return date_of(v).day_of_year; }
double month(double v) { return date_of(v).month; }
double year(double v) { return static_cast<double>(date_of(v).year); }

// The zero day is a Wednesday.
double day_of_week(double v) {
  return static_cast<double>((seconds_since_zero(v) / kSecondsPerDay + 3) % 7);
}

}  // namespace

ColumnFunction find_date_function(std::string_view name) {
  struct NamedFunction {
    std::string_view name;
    ColumnFunction function;
  };
  constexpr std::array kFunctions = {
      NamedFunction{"minute", apply_to_column<minute>},
      NamedFunction{"hour", apply_to_column<hour>},
      NamedFunction{"day_of_week", apply_to_column<day_of_week>},
      NamedFunction{"day_of_month", apply_to_column<day_of_month>},
      NamedFunction{"day_of_year", apply_to_column<day_of_year>},
      NamedFunction{"days_in_month", apply_to_column<days_in_month>},
      NamedFunction{"month", apply_to_column<month>},
      NamedFunction{"year", apply_to_column<year>},
  };
  for (const NamedFunction& named : kFunctions) {
    if (named.name == name) return named.function;
  }
  return nullptr;
}

}  // namespace binnacle::query::promql
