#include "base/clock.h"

#include <ctime>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle {
namespace {

int64_t read_clock(clockid_t id) {
  timespec now{};
  CHECK(clock_gettime(id, &now) == 0);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t SystemClock::wall_ns() const { return read_clock(CLOCK_REALTIME); }
int64_t SystemClock::monotonic_ns() const { return read_clock(CLOCK_MONOTONIC); }

void SimulatedClock::advance_ms(int64_t ms) {
  CHECK(ms >= 0);
  monotonic_ns_ += ms * 1'000'000;
  wall_ns_ += ms * 1'000'000;
}

void SimulatedClock::jump_wall_ms(int64_t ms) { wall_ns_ += ms * 1'000'000; }

std::string format_rfc3339(int64_t wall_ms) {
  int64_t seconds = wall_ms / 1000;
  int64_t millis = wall_ms % 1000;
  if (millis < 0) {
    millis += 1000;
    --seconds;
  }
  const time_t when = seconds;
  tm utc{};
  gmtime_r(&when, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

}  // namespace binnacle
