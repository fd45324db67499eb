#include "watch/alerts/time_interval.h"

#include <algorithm>

#include "watch/alerts/time_zone.h"

namespace binnacle::watch::alerts {
namespace {

using Ranges = std::vector<TimeInterval::Range>;

bool holds(const Ranges& ranges, int value) {
  return ranges.empty() || std::ranges::any_of(ranges, [value](const TimeInterval::Range& range) {
           return value >= range.begin && value <= range.end;
         });
}

bool holds_day(const Ranges& ranges, const LocalTime& at) {
  const auto from_start = [&](int day) { return day < 0 ? at.days_in_month + day + 1 : day; };
  return ranges.empty() || std::ranges::any_of(ranges, [&](const TimeInterval::Range& range) {
           const int begin = from_start(range.begin);
           // A range that begins after the month's end is not of this month; one that ends there is
           // cut.
           return begin <= at.days_in_month && at.day >= begin && at.day <= from_start(range.end);
         });
}

}  // namespace

bool TimeInterval::contains(int64_t now_ms) const {
  const LocalTime at = local_time(now_ms, location);
  const bool time = times.empty() || std::ranges::any_of(times, [&](const Range& range) {
                      return at.minute >= range.begin && at.minute < range.end;
                    });
  return time && holds_day(days_of_month, at) && holds(months, at.month) &&
         holds(weekdays, at.weekday) && holds(years, at.year);
}

}  // namespace binnacle::watch::alerts
