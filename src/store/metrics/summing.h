// How the residuals of an integer column become integers again: a constant is added to each, and
// they are summed up as often as the integers were differenced. All arithmetic wraps. Pure
// functions; any thread. Format: docs/formats/chunk.md, "Integer columns".
#pragma once

#include <cstdint>
#include <span>

namespace binnacle::store::metrics {

struct Summing {
  unsigned order = 0;  // sums: 0, 1 or 2
  uint64_t low = 0;    // added to each residual
  uint64_t sum = 0;    // the integer before the first residual, where there are sums
  uint64_t delta = 0;  // and what it had above the one before, where there are two
};

// One residual after the other; kOrder is that of the Summing.
template <unsigned kOrder>
class RunningSum {
 public:
  explicit RunningSum(const Summing& from) : low_(from.low), sum_(from.sum), delta_(from.delta) {}
  uint64_t next(uint64_t residual) {
    if constexpr (kOrder == 0) return residual + low_;
    if constexpr (kOrder == 1) return sum_ += residual + low_;
    return sum_ += delta_ += residual + low_;
  }

 private:
  const uint64_t low_;
  uint64_t sum_;
  uint64_t delta_;
};

template <unsigned kOrder>
void sum_up(const Summing& summing, std::span<uint64_t> residuals) {
  RunningSum<kOrder> sum(summing);
  for (uint64_t& v : residuals) v = sum.next(v);
}

inline void sum_up(const Summing& summing, std::span<uint64_t> residuals) {
  if (summing.order == 0) return sum_up<0>(summing, residuals);
  return summing.order == 1 ? sum_up<1>(summing, residuals) : sum_up<2>(summing, residuals);
}

}  // namespace binnacle::store::metrics
