#include "engine/model/mixture.h"

#include <algorithm>

namespace binnacle::engine {

void route(const Kernels& kernels, const ModelConfig& config, float* scores, Routing& routing) {
  kernels.softmax(scores, config.experts);
  const auto chosen = static_cast<size_t>(config.experts_per_token);
  routing.experts.clear();
  routing.weights.clear();
  for (size_t rank = 0; rank < chosen; ++rank) {
    int32_t best = -1;
    for (int32_t e = 0; e < config.experts; ++e) {
      if (std::find(routing.experts.begin(), routing.experts.end(), e) != routing.experts.end()) {
        continue;
      }
      if (best < 0 || scores[e] > scores[best]) best = e;
    }
    routing.experts.push_back(best);
    routing.weights.push_back(scores[best]);
  }
  if (!config.normalize_expert_weights) return;
  float total = 0;
  for (const float weight : routing.weights) total += weight;
  for (float& weight : routing.weights) weight /= total;
}

}  // namespace binnacle::engine
