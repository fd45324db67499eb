// Zones of the IANA database, as the system has them (Debian's tzdata). Zones are read once and
// kept for the life of the process. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace binnacle::watch::alerts {

struct LocalTime {
  int year = 1970;
  int month = 1;  // from 1
  int day = 1;    // from 1
  int days_in_month = 31;
  int weekday = 0;  // Sunday 0
  int minute = 0;   // of the day
};

// "Europe/Berlin"; "UTC" and "" are UTC, "Local" is the machine's own.
bool is_time_zone(const std::string& name);

// UTC for a name that is none.
LocalTime local_time(int64_t unix_ms, const std::string& zone);

}  // namespace binnacle::watch::alerts
