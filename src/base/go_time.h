// Times and durations as Go writes them: layouts made of the reference time "Mon Jan 2 15:04:05 MST
// 2006", and "1h2m3.5s". Pure functions but for zones, which are read from the system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle {

// kNotFound: there is no such zone.
Result<std::string> format_go_time(int64_t unix_s, int nanoseconds, const std::string& zone,
                                   std::string_view layout);

std::string format_go_duration(int64_t nanoseconds);

}  // namespace binnacle
