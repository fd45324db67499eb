// Which stretches of a column hold one value over and over. One thread's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace binnacle::query::promql {

class ConstantRuns {
 public:
  void find(std::span<const double> values) {
    starts_.resize(values.size());
    uint32_t start = 0;
    for (uint32_t i = 0; i < values.size(); ++i) {
      if (i > 0 && !(values[i] == values[i - 1])) start = i;
      starts_[i] = start;
    }
  }
  // NaN equals nothing, so only a single one is constant.
  bool constant(uint32_t first, uint32_t last) const { return starts_[last - 1] <= first; }

 private:
  std::vector<uint32_t> starts_;  // of the run that each sample is in
};

}  // namespace binnacle::query::promql
