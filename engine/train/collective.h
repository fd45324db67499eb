// How the processes of one run put their gradients together: each gives its own and gets the mean,
// added up in the order of ranks, so that all have the same bits. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace binnacle::engine {

// Small figures of each rank, by rank.
using RankReports = std::vector<std::vector<double>>;

class Collective {
 public:
  virtual ~Collective() = default;
  // `gradients` become the mean. An error names the rank that did not come and its last step.
  virtual Result<RankReports> average(int64_t step, std::span<float> gradients,
                                      const std::vector<double>& report) = 0;
  // `values` become rank 0's; answers rank 0's `told`.
  virtual Result<std::vector<double>> broadcast(std::span<float> values,
                                                const std::vector<double>& told) = 0;
};

// A run of one process.
class SoleRank final : public Collective {
 public:
  Result<RankReports> average(int64_t, std::span<float>,
                              const std::vector<double>& report) override {
    return RankReports{report};
  }
  Result<std::vector<double>> broadcast(std::span<float>,
                                        const std::vector<double>& told) override {
    return told;
  }
};

}  // namespace binnacle::engine
