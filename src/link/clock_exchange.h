// One exchange of clocks between a node and the server: four Unix times as NTP has them (RFC 5905,
// section 8), and what they say. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace binnacle::link {

struct ClockExchange {
  int64_t asked_ns = 0;     // t1, node's clock: the beat was sent
  int64_t received_ns = 0;  // t2, server's clock
  int64_t replied_ns = 0;   // t3, server's clock
  int64_t answered_ns = 0;  // t4, node's clock: the reply came
};

struct ClockReading {
  int64_t offset_ns = 0;  // of the node's clock; ahead of the server's is positive
  int64_t round_trip_ns = 0;
  friend bool operator==(const ClockReading&, const ClockReading&) = default;
};

// nullopt when a clock was set in between (a negative round trip), or for times that no clock
// shows.
std::optional<ClockReading> read_clocks(const ClockExchange& exchange);

}  // namespace binnacle::link
