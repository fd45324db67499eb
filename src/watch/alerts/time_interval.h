// A time interval of Alertmanager: times of day, weekdays, days of the month, months, years, in a
// location. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace binnacle::watch::alerts {

struct TimeInterval {
  struct Range {
    int begin = 0;
    int end = 0;  // of times exclusive, of the others inclusive
    friend bool operator==(const Range&, const Range&) = default;
  };
  // An empty list does not restrict.
  std::vector<Range> times;          // minutes from midnight
  std::vector<Range> weekdays;       // Sunday 0
  std::vector<Range> days_of_month;  // from 1; negative counts from the end
  std::vector<Range> months;         // from 1
  std::vector<Range> years;
  std::string location;  // IANA; empty: UTC

  bool contains(int64_t now_ms) const;
  friend bool operator==(const TimeInterval&, const TimeInterval&) = default;
};

}  // namespace binnacle::watch::alerts
