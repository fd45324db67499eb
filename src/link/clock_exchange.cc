#include "link/clock_exchange.h"

#include <algorithm>

namespace binnacle::link {
namespace {

// Unix times up to the year 2116: sums of two fit in 64 bits, whatever a peer sends.
constexpr int64_t kLatestNs = int64_t{1} << 62;

bool is_time(int64_t ns) { return ns > 0 && ns < kLatestNs; }

}  // namespace

std::optional<ClockReading> read_clocks(const ClockExchange& e) {
  if (!is_time(e.asked_ns) || !is_time(e.received_ns) || !is_time(e.replied_ns) ||
      !is_time(e.answered_ns)) {
    return std::nullopt;
  }
  const int64_t round_trip = (e.answered_ns - e.asked_ns) - (e.replied_ns - e.received_ns);
  if (round_trip < 0) return std::nullopt;
  const int64_t out = e.asked_ns - e.received_ns;
  const int64_t back = e.answered_ns - e.replied_ns;
  return ClockReading{out / 2 + back / 2 + (out % 2 + back % 2) / 2, round_trip};
}

}  // namespace binnacle::link
