// The attention of one layer: queries, keys and values of all rows, rotary embedding (Su et al.
// 2021), grouped queries (Ainslie et al. 2023) over the paged cache. Rows of one step may belong to
// one sequence: their keys are all in the cache before the first of them looks. One thread, which
// leads the team.
#pragma once

#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/kernels.h"
#include "engine/model/kv_cache.h"
#include "engine/model/layer_weights.h"
#include "engine/model/thread_team.h"

namespace binnacle::engine {

class Attention {
 public:
  Attention(const ModelConfig& config, const Kernels& kernels, ThreadTeam& team, KvCache& cache);

  void begin_step(const Rows& rows);
  // `layer` of the range. x and out: rows x hidden.
  void run(int32_t layer, const LayerWeights& weights, const Rows& rows, std::span<const float> x,
           std::span<float> out);

 private:
  struct Scratch {
    std::vector<const float*> keys;
    std::vector<const float*> values;
    std::vector<float> weights;
  };

  void project(const LayerWeights& weights, int64_t rows, std::span<const float> x);
  void place(int32_t layer, const LayerWeights& weights, const Rows& rows);
  void attend(int32_t layer, const Row& row, int64_t index, int32_t kv_head, Scratch& scratch);

  // Fixed after construction.
  const ModelConfig& config_;
  const Kernels& kernels_;
  ThreadTeam& team_;
  KvCache& cache_;
  const int64_t query_;  // numbers of a row's queries
  const int64_t key_;
  std::vector<double> frequencies_;  // radians a position

  // Of this step: cosines and sines [row][head_size / 2].
  std::vector<float> cosines_;
  std::vector<float> sines_;
  int64_t positions_seen_ = 0;  // by all rows together
  std::vector<float> q_, k_, v_, mixed_;
  std::vector<Scratch> scratch_;  // by thread
};

}  // namespace binnacle::engine
