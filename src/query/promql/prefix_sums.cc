#include "query/promql/prefix_sums.h"

namespace binnacle::query::promql {
namespace {

// Four thousand million of these do not overflow.
constexpr double kWild = 1e290;

// Each addition errs by less than 2^-103 of the magnitudes so far; n of them, and the two ends of a
// difference, by less than n * 2^-101. A sum 2^51 times as large is right to 2^-50 of itself.
constexpr double kErrorPerValue = 0x1p-50;

}  // namespace

void PrefixSums::assign(std::span<const double> values) {
  points_.resize(values.size() + 1);
  points_[0] = {};
  Point at;
  double magnitudes = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool tame = std::abs(values[i]) < kWild;
    const double value = tame ? values[i] : 0;
    at.wild += tame ? 0 : 1;
    magnitudes += std::abs(value);
    const double total = at.high + value;
    const double back = total - at.high;
    const double low = at.low + ((at.high - (total - back)) + (value - back));
    at.high = total + low;
    at.low = low - (at.high - total);
    at.error_bound = magnitudes * (static_cast<double>(i + 1) * kErrorPerValue);
    points_[i + 1] = at;
  }
}

}  // namespace binnacle::query::promql
