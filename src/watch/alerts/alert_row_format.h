// What writing and reading of the router's rows must agree on.
#pragma once

#include <cstdint>
#include <string_view>

namespace binnacle::watch::alerts {

// Bits of alert_times.flags.
inline constexpr int64_t kRowTimeout = 1;
inline constexpr int64_t kRowOpen = 2;

// By model::MatchOp.
inline constexpr std::string_view kRowMatchOps[] = {"=", "!=", "=~", "!~"};

}  // namespace binnacle::watch::alerts
