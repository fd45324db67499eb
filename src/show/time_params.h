// Times in the parameters of a request, as the Prometheus API takes them and words what is wrong.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace binnacle::show {

// What stands for "no bound": far from the ends, so that arithmetic stays in range.
inline constexpr int64_t kBeginningMs = std::numeric_limits<int64_t>::min() / 4;
inline constexpr int64_t kEndMs = std::numeric_limits<int64_t>::max() / 4;

// Unix seconds or RFC 3339, in milliseconds; the error names the parameter.
Result<int64_t> time_param(const net::Params& params, std::string_view name, int64_t if_absent);
// The same of one that must be there.
Result<int64_t> required_time_param(const net::Params& params, std::string_view name);

// `start` and `end` of a request that is about a range; the whole of time without them.
struct TimeRange {
  int64_t start_ms = kBeginningMs;
  int64_t end_ms = kEndMs;
};
Result<TimeRange> range_params(const net::Params& params);

// Seconds with a fraction, or a duration: "15", "0.5", "1m30s"; may be negative. The error does not
// name the parameter.
Result<int64_t> duration_of(std::string_view text);

}  // namespace binnacle::show
