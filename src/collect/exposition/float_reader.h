// A float as Prometheus reads it from a page: Go's strconv.ParseFloat without hexadecimal forms and
// underscores. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::collect::exposition {

// Reads at `at`, up to the first byte that cannot belong to a plain decimal; moves `at` behind it.
// nullopt, and `at` stays: not of the plain kind (or none at all), for read_float() to judge.
std::optional<double> read_plain_float(const char*& at, const char* end);

// The whole of `text`: decimal, "NaN", "Inf", "Infinity" in any case. nullopt: not a number, or
// beyond the range of a double.
std::optional<double> read_float(std::string_view text);

// As OpenMetrics wants numbers in labels: "1.0", "0.5", "1e+06", "+Inf".
std::string openmetrics_float(double v);

}  // namespace binnacle::collect::exposition
