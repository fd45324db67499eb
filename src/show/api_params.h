// Parameters that many calls of Prometheus' API share, and Prometheus' words for what is wrong with
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/matcher.h"
#include "net/http.h"

namespace binnacle::show {

// An error of a parameter: `invalid parameter "NAME": MESSAGE`.
Unexpected invalid_param(std::string_view name, Error error);
Unexpected invalid_param(std::string_view name, std::string message);

// `limit`; 0: none.
Result<size_t> limit_param(const net::Params& params);
// A whole number, or -1 where the parameter is absent: "NAME must be a number".
Result<int64_t> number_param(const net::Params& params, std::string_view name);
// Sets of matchers, one for each match[]. One that every series fits is refused.
Result<std::vector<model::Matchers>> match_params(const net::Params& params);

// ASCII letters in lower case, for words that Prometheus takes in any.
std::string lower_case(std::string_view text);

// What a caller is told apart by: its key, else its address.
std::string caller_of(const net::Request& request);

inline constexpr std::string_view kTruncated = "results truncated due to limit";

}  // namespace binnacle::show
