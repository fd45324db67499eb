// Durations and byte sizes as people write them in binnacle.yaml, rules and query parameters:
// "1h30m", "250ms" (Prometheus' grammar) and "32KiB", "100MB". Pure functions.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle {

// One or more whole numbers with units y, w, d, h, m, s, ms, each unit at most once and in that
// order; or "0". A day has 24 h, a year 365 d. At most 1000y. kInvalidArgument says how to write
// it.
Result<int64_t> parse_duration_ms(std::string_view text);
// The shortest text of the same grammar: "1h30m", "250ms", "0s". Not for negative values (CHECK).
std::string format_duration_ms(int64_t ms);

// A whole number with B, kB, MB, GB, TB, PB (powers of 1000; KB means kB) or KiB, MiB, GiB, TiB,
// PiB (powers of 1024); bare numbers are bytes. At most 2^63 - 1.
Result<int64_t> parse_bytes(std::string_view text);
// Exact, in the unit that gives the smallest number: "32KiB", "100MB", "1001B".
std::string format_bytes(int64_t bytes);

}  // namespace binnacle
