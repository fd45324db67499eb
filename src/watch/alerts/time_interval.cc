#include "watch/alerts/time_interval.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/time_zone.h"

namespace binnacle::watch::alerts {
namespace {

using Ranges = std::vector<TimeInterval::Range>;

bool holds(const Ranges& ranges, int value) {
  return ranges.empty() || std::ranges::any_of(ranges, [value](const TimeInterval::Range& range) {
           return value >= range.begin && value <= range.end;
         });
}

int days_in_month(const CivilTime& at) {
  const std::chrono::year_month_day_last last(
      std::chrono::year(static_cast<int>(at.year)),
      std::chrono::month_day_last(std::chrono::month(static_cast<unsigned>(at.month))));
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

bool holds_day(const Ranges& ranges, const CivilTime& at) {
  const int days = days_in_month(at);
  const auto from_start = [days](int day) { return day < 0 ? days + day + 1 : day; };
  return ranges.empty() || std::ranges::any_of(ranges, [&](const TimeInterval::Range& range) {
           const int begin = from_start(range.begin);
           // A range that begins after the month's end is not of this month; one that ends there is
           // cut.
           return begin <= days && at.day >= begin && at.day <= from_start(range.end);
         });
}

}  // namespace

bool TimeInterval::contains(int64_t now_ms) const {
  const int64_t now_s = (now_ms - (now_ms % 1000 + 1000) % 1000) / 1000;
  // The reader knows the location; one that has gone from the system since then is taken for UTC.
  auto in_zone = civil_time(now_s, location);
  const CivilTime at = in_zone ? std::move(*in_zone) : *civil_time(now_s, "");
  const int minute = at.hour * 60 + at.minute;
  const bool time = times.empty() || std::ranges::any_of(times, [&](const Range& range) {
                      return minute >= range.begin && minute < range.end;
                    });
  return time && holds_day(days_of_month, at) && holds(months, at.month) &&
         holds(weekdays, at.weekday) && holds(years, static_cast<int>(at.year));
}

}  // namespace binnacle::watch::alerts
