// AdamW (Loshchilov and Hutter 2019) over flat arrays, and the rate by which it learns: a linear
// warm-up, then half a cosine. Deterministic. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/train/train_settings.h"

namespace binnacle::engine {

double learning_rate(const OptimizerSettings& settings, int64_t step, int64_t steps);

class AdamW {
 public:
  // Of `ranges` with two sides or more the weights decay.
  AdamW(const OptimizerSettings& settings, const std::vector<ParameterRange>& ranges, int64_t size);

  // `updates`: how many came before. Gradients are multiplied by `gradient_scale` first.
  void update(std::span<float> parameters, std::span<const float> gradients, double gradient_scale,
              double rate, int64_t updates);

  std::vector<float> first;  // moments: part of a checkpoint
  std::vector<float> second;

 private:
  const OptimizerSettings settings_;
  const std::vector<ParameterRange> ranges_;
};

// The Euclidean length, added up in double in a fixed order; not finite when one value is not.
double length_of(std::span<const float> values);

}  // namespace binnacle::engine
