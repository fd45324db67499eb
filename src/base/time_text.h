// Points in time as queries write them. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace binnacle {

// "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+01:00": Unix milliseconds; finer digits are cut
// off.
Result<int64_t> parse_rfc3339_ms(std::string_view text);

// RFC 3339, or Unix seconds with a fraction: "1700000000.123". Unix milliseconds.
Result<int64_t> parse_time_ms(std::string_view text);

}  // namespace binnacle
