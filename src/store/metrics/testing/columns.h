// Columns of values as instruments, and their enemies, make them; seeded, for the tests of codecs.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace binnacle::store::metrics::testing {

class ColumnRandom {
 public:
  explicit ColumnRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() {  // splitmix64
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double normal() {  // near enough: the sum of twelve uniform ones
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }

 private:
  uint64_t state_;
};

inline constexpr int kShapes = 16;

inline double shape_value(int shape, size_t i, double before, double scale, ColumnRandom& random) {
  switch (shape) {
    case 0:  // a constant
      return i == 0 ? std::round(scale) : before;
    case 1:  // a walk of integers
      return before + std::round(scale * random.normal());
    case 2:  // a counter with resets
      return random.below(50) == 0 ? 0 : before + static_cast<double>(random.below(1000));
    case 3:  // random bits
      return std::bit_cast<double>(random.next());
    case 4:  // the sum of a histogram
      return before + scale * random.unit();
    case 5:  // two values in turn
      return i % 2 == 0 ? 0.0 : scale;
    case 6:  // integers beyond 2^53
      return before + std::round(1e15 * random.unit()) + 0x1p53;
    case 7:  // a step now and then
      return random.below(20) == 0 ? before + 1 : before;
    case 8:  // small powers of two
      return std::ldexp(1.0, static_cast<int>(random.below(40)) - 20);
    case 9:  // noise without decimals
      return random.unit();
    default:  // walks with 0 to 5 decimals
      const double power = std::pow(10, shape - 10);
      return std::round(before * power + 5 * random.normal()) / power;
  }
}

// One column of the shape; a third of them with NaNs, infinities and -0 thrown in.
inline std::vector<double> column(int shape, size_t size, ColumnRandom& random) {
  constexpr uint64_t kSpecial[] = {0x7ff0000000000002u, 0x7ff8000000000001u, 0x7ff0000000000000u,
                                   0xfff0000000000000u, 0x8000000000000000u, 0xffffffffffffffffu};
  const double scale = std::pow(10, 6 * random.unit() - 2);
  const bool specials = random.below(3) == 0;
  const uint64_t rarity = 1 + random.below(40);
  std::vector<double> values;
  double before = 0;
  for (size_t i = 0; i < size; ++i) {
    before = shape_value(shape, i, before, scale, random);
    values.push_back(specials && random.below(rarity) == 0
                         ? std::bit_cast<double>(kSpecial[random.below(random.below(6) + 1)])
                         : before);
  }
  return values;
}

}  // namespace binnacle::store::metrics::testing
