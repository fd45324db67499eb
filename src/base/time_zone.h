// Wall time in a place: the calendar and clock that people there read. Zones are IANA's, from the
// system's zone files; what was loaded stays. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace binnacle {

struct CivilTime {
  int64_t year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 0;   // Sunday 0
  int year_day = 1;  // 1 to 366
  int offset_s = 0;  // east of UTC
  std::string zone;  // its abbreviation: "CET"
};

// `zone` is empty or "UTC" for UTC, "Local" for the system's, or a name as "Europe/Berlin".
// kNotFound: there is no such zone.
Status check_time_zone(const std::string& zone);
Result<CivilTime> civil_time(int64_t unix_s, const std::string& zone);

// Of year, month, day, hour, minute and second, which may be beyond their bounds, in UTC.
int64_t unix_seconds(const CivilTime& utc);

}  // namespace binnacle
