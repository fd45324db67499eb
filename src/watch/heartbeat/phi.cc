#include "watch/heartbeat/phi.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/check.h"

namespace binnacle::watch::heartbeat {
namespace {

// Beyond it erfc() runs out of numbers, and its first term is exact enough.
constexpr double kFarOut = 30;

double deviation_of(const BeatIntervals& intervals, const PhiOptions& options) {
  return std::max(intervals.deviation_ms(), static_cast<double>(options.min_deviation_ms));
}

}  // namespace

double phi_of(double deviations) {
  if (deviations < kFarOut) return -std::log10(0.5 * std::erfc(deviations / std::numbers::sqrt2));
  const double log_density =
      -0.5 * deviations * deviations - 0.5 * std::log(2 * std::numbers::pi) - std::log(deviations);
  return -log_density / std::numbers::ln10;
}

double deviations_of(double phi) {
  CHECK(phi > 0);
  double low = -10;
  double high = 1000;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (phi_of(middle) < phi ? low : high) = middle;
  }
  return high;
}

BeatIntervals::BeatIntervals(size_t window, int64_t expected_ms)
    : ring_(std::max<size_t>(window, 2)) {
  add(expected_ms * 3 / 4, expected_ms);
  add(expected_ms * 5 / 4, expected_ms * 2);
}

void BeatIntervals::add(int64_t interval_ms, int64_t longest_ms) {
  constexpr int64_t kMost = std::numeric_limits<uint16_t>::max();
  const auto value =
      static_cast<uint16_t>(std::clamp<int64_t>(std::min(interval_ms, longest_ms), 0, kMost));
  if (count_ == ring_.size()) {
    const uint64_t old = ring_[next_];
    sum_ -= old;
    squares_ -= old * old;
  } else {
    ++count_;
  }
  ring_[next_] = value;
  next_ = next_ + 1 == ring_.size() ? 0 : next_ + 1;
  sum_ += value;
  squares_ += uint64_t{value} * value;
}

double BeatIntervals::mean_ms() const {
  return static_cast<double>(sum_) / static_cast<double>(count_);
}

double BeatIntervals::deviation_ms() const {
  const double mean = mean_ms();
  const double variance = static_cast<double>(squares_) / static_cast<double>(count_) - mean * mean;
  return std::sqrt(std::max(variance, 0.0));
}

double BeatIntervals::phi(int64_t silence_ms, const PhiOptions& options) const {
  const double over =
      static_cast<double>(silence_ms) - mean_ms() - static_cast<double>(options.pause_ms);
  return phi_of(over / deviation_of(*this, options));
}

int64_t BeatIntervals::silence_ms(double deviations, const PhiOptions& options) const {
  return static_cast<int64_t>(std::ceil(mean_ms() + static_cast<double>(options.pause_ms) +
                                        deviations * deviation_of(*this, options)));
}

}  // namespace binnacle::watch::heartbeat
