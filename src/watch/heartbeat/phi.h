// How suspicious a silence is: phi accrual over the intervals between beats (Hayashibara,
// Défago, Yared and Katayama 2004). phi is -log10 of the chance that a beat comes still later,
// taking intervals as normally distributed. Instead of phi at every look, the silence at which phi
// reaches the threshold is worked out once a beat. Pure; owned by one node of the detector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace binnacle::watch::heartbeat {

struct PhiOptions {
  double threshold = 8;           // one beat in 10^8 comes later by chance
  int64_t min_deviation_ms = 50;  // however regular the beats are
  int64_t pause_ms = 50;          // that is acceptable beyond the mean
  size_t window = 200;            // intervals that count
};

// phi of a value that lies `deviations` standard deviations above the mean.
double phi_of(double deviations);
// The other way: how many deviations make this phi. `phi` > 0.
double deviations_of(double phi);

class BeatIntervals {
 public:
  // Begins as if beats came every `expected_ms`, give or take a quarter.
  BeatIntervals(size_t window, int64_t expected_ms);

  // An interval over `longest_ms` counts as that: a pause says nothing about the beats after it.
  void add(int64_t interval_ms, int64_t longest_ms);

  double mean_ms() const;
  double deviation_ms() const;
  double phi(int64_t silence_ms, const PhiOptions& options) const;
  // The silence at which phi is what so many deviations make.
  int64_t silence_ms(double deviations, const PhiOptions& options) const;

 private:
  std::vector<uint16_t> ring_;  // milliseconds
  size_t next_ = 0;
  size_t count_ = 0;
  // Of the ring, exact.
  uint64_t sum_ = 0;
  uint64_t squares_ = 0;
};

}  // namespace binnacle::watch::heartbeat
