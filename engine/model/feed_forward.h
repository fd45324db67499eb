// The second half of a layer: SwiGLU (Shazeer 2020), of one network or of a mixture of experts. A
// row's experts are added in the order of their numbers, the shared one last. One thread, which
// leads the team.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/expert_cache.h"
#include "engine/model/kernels.h"
#include "engine/model/layer_weights.h"
#include "engine/model/mixture.h"
#include "engine/model/routing_log.h"
#include "engine/model/thread_team.h"

namespace binnacle::engine {

class FeedForwardBlock {
 public:
  // `cache` and `log` may be null.
  FeedForwardBlock(const ModelConfig& config, LayerRange layers, const Kernels& kernels,
                   ThreadTeam& team, ExpertCache* cache, RoutingLog* log);

  // `layer` of the range. x and out: rows x hidden.
  void run(int32_t layer, const LayerWeights& weights, const Rows& rows, std::span<const float> x,
           std::span<float> out);

  const std::vector<std::vector<int64_t>>& expert_rows() const { return expert_rows_; }

 private:
  // Rows of one expert: from `first` on in gathered_ and results_.
  struct Group {
    int32_t expert = 0;
    int64_t first = 0;
    int64_t rows = 0;
  };
  struct Assignment {
    int64_t row = 0;
    float weight = 0;
  };

  void dense(const FeedForward& ffn, int64_t rows, const float* x, float* out);
  void mixture(int32_t layer, const LayerWeights& weights, const Rows& rows, const float* x,
               float* out);
  void choose(int32_t layer, const LayerWeights& weights, const Rows& rows, const float* x);
  void compute(std::span<const Group> groups, std::span<const FeedForward> experts);
  void add_shared(const LayerWeights& weights, int64_t rows, const float* x, float* out);

  // Fixed after construction.
  const ModelConfig& config_;
  const int32_t first_layer_;
  const Kernels& kernels_;
  ThreadTeam& team_;
  ExpertCache* const cache_;
  RoutingLog* const log_;

  std::vector<std::vector<int64_t>> expert_rows_;  // [layer of the range][expert], since loaded
  // Of this layer.
  std::vector<float> gate_, up_, scores_, gathered_, results_;
  std::vector<std::vector<Assignment>> assigned_;  // by expert
  std::vector<Group> groups_;
};

}  // namespace binnacle::engine
