// The weights of a range of layers, where they lie in the mapped files; small vectors as floats.
// Immutable after load; valid as long as the ModelFolder lives; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/model/kernels.h"
#include "engine/model/model_folder.h"

namespace binnacle::engine {

struct FeedForward {
  Matrix gate;
  Matrix up;
  Matrix down;
  int64_t bytes() const { return gate.bytes() + up.bytes() + down.bytes(); }
};

struct LayerWeights {
  std::vector<float> attention_norm;
  std::vector<float> ffn_norm;
  Matrix q, k, v, o;
  std::vector<float> q_bias, k_bias, v_bias;  // empty where the model has none
  FeedForward dense;                          // of a dense layer
  Matrix router;                              // of a mixture of experts, as are those below
  std::vector<FeedForward> experts;
  FeedForward shared;
  Matrix shared_router;
};

struct RangeWeights {
  std::vector<LayerWeights> layers;
  Matrix embed;             // where the range has layer 0
  std::vector<float> norm;  // where it has the last one, as head
  Matrix head;
  int64_t bytes = 0;         // of all of them
  int64_t expert_bytes = 0;  // of those, what experts take
};

// kNotFound, kDataLoss: as ModelFolder::tensor(), and the name of a tensor of another shape.
Result<RangeWeights> read_weights(const ModelFolder& folder, LayerRange layers);

// To floats; exact.
void to_floats(const Matrix& matrix, int64_t row, std::span<float> out);

}  // namespace binnacle::engine
