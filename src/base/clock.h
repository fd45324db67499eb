// Time comes in through a constructor: the system's in production, a simulated one in tests.
// Only monotonic time decides anything (deadlines, intervals, order); wall time is for people and
// samples.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace binnacle {

class Clock {
 public:
  virtual ~Clock() = default;

  virtual int64_t wall_ns() const = 0;       // Unix time, UTC; may jump
  virtual int64_t monotonic_ns() const = 0;  // since an arbitrary start; never goes back

  int64_t wall_ms() const { return wall_ns() / 1'000'000; }
  int64_t monotonic_ms() const { return monotonic_ns() / 1'000'000; }
};

// Any thread.
class SystemClock final : public Clock {
 public:
  int64_t wall_ns() const override;
  int64_t monotonic_ns() const override;
};

// Stands still until told; any thread.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(int64_t wall_ns = 1'700'000'000'000'000'000) : wall_ns_(wall_ns) {}

  int64_t wall_ns() const override { return wall_ns_.load(); }
  int64_t monotonic_ns() const override { return monotonic_ns_.load(); }

  void advance_ms(int64_t ms);
  void jump_wall_ms(int64_t ms);  // as NTP or an operator would: monotonic time does not move

 private:
  std::atomic<int64_t> wall_ns_;
  std::atomic<int64_t> monotonic_ns_{1'000'000'000};
};

// RFC 3339 in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
std::string format_rfc3339(int64_t wall_ms);

}  // namespace binnacle
