#include "store/metrics/token_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

// The parabola is slope * u - curve * u^2 with u from -1 at the first token to 1 at the last, in
// sixteenths of a bit. The shape's low three bits choose the curve, the next four how steep the
// slope is, the highest its sign.
constexpr int kUnit = 16;
constexpr int kCurves[8] = {0, 24, 56, 96, 144, 208, 304, 480};
constexpr int kSlopes[16] = {0, 6, 13, 19, 27, 37, 48, 61, 77, 96, 120, 152, 192, 240, 304, 384};
constexpr int kCurveBits = 3;
constexpr int kFraction = 12;  // bits of u behind the point
constexpr uint8_t kSlopeDown = 0x80;

// 2^(30 - i/16), rounded.
constexpr uint32_t kPowersOfTwo[kUnit] = {
    1073741824, 1028218693, 984625594, 942880699, 902905651, 864625415, 827968133, 792864980,
    759250125,  727060596,  696236238, 666719586, 638455724, 611392078, 585478475, 560667025};
constexpr int kPowerBits = 30;
constexpr int kShareBits = 40;

using Weights = std::array<uint64_t, kMaxTokens>;

// Writes the weights, the largest being about 2^30, and returns their sum.
uint64_t weigh(uint8_t shape, size_t tokens, Weights& weights) {
  const int curve = kCurves[shape & 7];
  const int steepness = kSlopes[(shape >> kCurveBits) & 15];
  const int slope = (shape & kSlopeDown) != 0 ? -steepness : steepness;
  const auto last = static_cast<int>(tokens) - 1;
  const int inverse = (1 << 2 * kFraction) / last;
  std::array<int, kMaxTokens> logs{};
  for (int k = 0; k <= last; ++k) {
    const int u = ((2 * k - last) * inverse) >> kFraction;
    const int square = (u * u) >> kFraction;
    logs[static_cast<size_t>(k)] = (slope * u - curve * square) >> kFraction;
  }
  const int top = *std::max_element(logs.begin(), logs.begin() + last + 1);
  uint64_t sum = 0;
  for (size_t k = 0; k < tokens; ++k) {
    const int below = top - logs[k];
    const int halvings = below / kUnit;
    weights[k] = halvings > kPowerBits ? 0 : kPowersOfTwo[below % kUnit] >> halvings;
    sum += weights[k];
  }
  return sum;
}

// The cost in bits of a token with a frequency, without the table's own bits.
const std::array<float, (1 << kMaxTableBits) + 1>& frequency_bits() {
  static const auto table = [] {
    std::array<float, (1 << kMaxTableBits) + 1> bits{};
    for (size_t f = 1; f < bits.size(); ++f) bits[f] = std::log2(static_cast<float>(f));
    return bits;
  }();
  return table;
}

template <size_t kSize>
int nearest(const int (&grid)[kSize], double value) {
  int best = 0;
  for (int i = 1; i < static_cast<int>(kSize); ++i)
    if (std::abs(grid[i] - value) < std::abs(grid[best] - value)) best = i;
  return best;
}

// A place in the grid of shapes: slopes run from -15 to 15.
struct Place {
  int slope = 0;
  int curve = 0;

  bool valid() const { return std::abs(slope) < 16 && curve >= 0 && curve < 8; }
  uint8_t shape() const {
    return static_cast<uint8_t>((slope < 0 ? kSlopeDown : 0) | std::abs(slope) << kCurveBits |
                                curve);
  }
};

// The normal distribution with the counts' mean and variance.
Place guess_normal(std::span<const uint32_t> counts) {
  double n = 0;
  double sum = 0;
  double squares = 0;
  const auto last = static_cast<double>(counts.size() - 1);
  for (size_t k = 0; k < counts.size(); ++k) {
    const double u = 2 * static_cast<double>(k) / last - 1;
    n += counts[k];
    sum += counts[k] * u;
    squares += counts[k] * u * u;
  }
  const double mean = sum / n;
  const double variance = std::max(squares / n - mean * mean, 1e-3);
  // The even distribution has a third; what is near it has no curve.
  const double flat = std::max(0.0, 1 / variance - 3);
  const double slope = kUnit * std::numbers::log2e * mean / variance;
  const int steepness = nearest(kSlopes, std::abs(slope));
  return {slope < 0 ? -steepness : steepness,
          nearest(kCurves, kUnit * std::numbers::log2e / 2 * flat)};
}

// The geometric distribution with the counts' mean, from the end that it is nearer to.
Place guess_geometric(std::span<const uint32_t> counts) {
  double n = 0;
  double sum = 0;
  for (size_t k = 0; k < counts.size(); ++k) {
    n += counts[k];
    sum += counts[k] * static_cast<double>(k);
  }
  const auto last = static_cast<double>(counts.size() - 1);
  const bool down = 2 * sum < n * last;
  const double mean = std::max((down ? sum : n * last - sum) / n, 1e-3);
  const int steepness = nearest(kSlopes, kUnit * std::log2((1 + mean) / mean) * last / 2);
  return {down ? -steepness : steepness, 0};
}

}  // namespace

void token_frequencies(uint8_t shape, unsigned table_bits, std::span<uint16_t> frequencies) {
  const size_t tokens = frequencies.size();
  CHECK(tokens >= 2 && tokens <= kMaxTokens && table_bits <= kMaxTableBits);
  CHECK(tokens * 2 <= size_t{1} << table_bits);
  Weights weights;
  uint64_t sum = weigh(shape, tokens, weights);
  uint64_t left = uint64_t{1} << table_bits;
  // What would get less than one gets one, and does not share in the rest.
  const uint64_t whole = sum >> table_bits;
  for (size_t k = 0; k < tokens; ++k) {
    if (weights[k] > whole) continue;
    sum -= weights[k];
    weights[k] = 0;
    --left;
  }
  // Shares in fixed point, what is left of one going to the next.
  const uint64_t scale = (left << kShareBits) / sum;
  uint64_t carry = 0;
  uint64_t given = 0;
  for (size_t k = 0; k < tokens; ++k) {
    uint64_t share = 0;
    if (weights[k] != 0) {
      carry += weights[k] * scale;
      share = carry >> kShareBits;
      carry &= (uint64_t{1} << kShareBits) - 1;
    }
    frequencies[k] = static_cast<uint16_t>(std::max<uint64_t>(1, share));
    given += frequencies[k];
  }
  const uint64_t total = uint64_t{1} << table_bits;
  for (; given > total; --given) --*std::max_element(frequencies.begin(), frequencies.end());
  *std::max_element(frequencies.begin(), frequencies.end()) += static_cast<uint16_t>(total - given);
}

double token_bits(uint8_t shape, std::span<const uint32_t> counts, unsigned table_bits) {
  std::array<uint16_t, kMaxTokens> room{};
  const std::span frequencies(room.data(), counts.size());
  token_frequencies(shape, table_bits, frequencies);
  const auto& saved = frequency_bits();
  double bits = 0;
  for (size_t k = 0; k < counts.size(); ++k)
    bits += counts[k] * (static_cast<double>(table_bits) - saved[frequencies[k]]);
  return bits;
}

FittedShape fit_token_shape(std::span<const uint32_t> counts, unsigned table_bits) {
  constexpr Place kSteps[] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
  Place place = guess_normal(counts);
  double best = token_bits(place.shape(), counts, table_bits);
  const Place other = guess_geometric(counts);
  if (const double bits = token_bits(other.shape(), counts, table_bits); bits < best) {
    place = other;
    best = bits;
  }
  for (bool better = true; better;) {
    better = false;
    for (const Place& step : kSteps) {
      const Place next{place.slope + step.slope, place.curve + step.curve};
      if (!next.valid()) continue;
      const double bits = token_bits(next.shape(), counts, table_bits);
      if (bits >= best) continue;
      best = bits;
      place = next;
      better = true;
    }
  }
  return {place.shape(), best};
}

}  // namespace binnacle::store::metrics
