// The choice of experts for a row: softmax over the router's scores, the k most likely (of equal
// ones the lower number), their weights scaled to add up to 1 where the model asks for it (Shazeer
// et al. 2017; Jiang et al. 2024). Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/kernels.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

struct Routing {
  std::vector<int32_t> experts;  // the most likely first
  std::vector<float> weights;
};

// `scores` is turned into probabilities.
void route(const Kernels& kernels, const ModelConfig& config, float* scores, Routing& routing);

}  // namespace binnacle::engine
