// Times in the parameters of a request, as the Prometheus API takes them.
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

}  // namespace binnacle::show
