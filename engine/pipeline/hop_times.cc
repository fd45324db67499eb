#include "engine/pipeline/hop_times.h"

#include <algorithm>
#include <cmath>

namespace binnacle::engine {
namespace {

constexpr size_t kKept = 256;
constexpr uint64_t kEnough = 8;

double quantile_of(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
  const size_t index = std::clamp<size_t>(rank, 1, values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

}  // namespace

void HopTimes::add(double seconds, double row_layers) {
  if (seconds_.size() < kKept) {
    seconds_.push_back(0);
    per_row_layer_.push_back(0);
  }
  const size_t slot = count_ % kKept;
  seconds_[slot] = seconds;
  per_row_layer_[slot] = seconds / std::max(row_layers, 1.0);
  ++count_;
}

std::chrono::milliseconds HopTimes::deadline(double row_layers,
                                             const HopDeadlineOptions& options) const {
  if (count_ < kEnough) return options.unlearned;
  const double expected = quantile_of(per_row_layer_, 0.99) * std::max(row_layers, 1.0);
  const double ms =
      std::min(expected * options.factor * 1e3, static_cast<double>(options.most.count()));
  return std::max(options.least, std::chrono::milliseconds(std::llround(ms)));
}

double HopTimes::quantile(double q) const { return quantile_of(seconds_, q); }

}  // namespace binnacle::engine
