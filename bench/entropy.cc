#include "entropy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>

#include "store/metrics/decimal.h"

namespace binnacle::bench {
namespace {

double counted_bits(const std::map<int64_t, size_t>& counts, double n) {
  double bits = 0;
  for (const auto& [value, count] : counts)
    bits -= static_cast<double>(count) / n * std::log2(static_cast<double>(count) / n);
  return bits + static_cast<double>(counts.size() - 1) / (2 * n) * std::numbers::log2e;
}

double spaced_bits(const std::vector<int64_t>& sorted) {
  const auto n = static_cast<double>(sorted.size());
  const auto m = static_cast<size_t>(std::sqrt(n) / 2);
  double bits = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const size_t low = i < m ? 0 : i - m;
    const size_t high = std::min(sorted.size() - 1, i + m);
    const double gap =
        std::max<double>(1, static_cast<double>(sorted[high]) - static_cast<double>(sorted[low]));
    bits += std::log2(n / static_cast<double>(std::max<size_t>(high - low, 1)) * gap);
  }
  return bits / n;
}

// Bits a value takes when the sample was drawn independently.
double entropy_bits(std::vector<int64_t> sample) {
  std::sort(sample.begin(), sample.end());
  std::map<int64_t, size_t> counts;
  for (const int64_t v : sample) ++counts[v];
  return counts.size() < std::max<size_t>(sample.size() / 8, 2)
             ? counted_bits(counts, static_cast<double>(sample.size()))
             : spaced_bits(sample);
}

}  // namespace

double entropy_bytes(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const auto exponent = store::metrics::guess_decimal_exponent(values);
  std::vector<int64_t> steps;
  steps.reserve(values.size());
  for (const double v : values) {
    auto integer = std::bit_cast<int64_t>(v);
    if (exponent) store::metrics::to_decimal(v, store::metrics::kPowersOfTen[*exponent], integer);
    steps.push_back(integer);
  }
  for (size_t i = steps.size() - 1; i > 0; --i) {
    steps[i] =
        static_cast<int64_t>(static_cast<uint64_t>(steps[i]) - static_cast<uint64_t>(steps[i - 1]));
  }
  steps.erase(steps.begin());
  constexpr double kBitsPerByte = 8;
  return entropy_bits(std::move(steps)) / kBitsPerByte;
}

}  // namespace binnacle::bench
