// Forward on our own kernels, on the CPU: weights mapped from safetensors, attention over a paged
// KV cache, every product with a fixed order of additions (docs/engine.md tells how and why).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/model/forward.h"

namespace binnacle::engine {

struct LayerStackOptions {
  LayerRange layers;
  int64_t kv_positions = 16'384;  // of all sequences together
  int threads = 1;
  int64_t expert_cache_bytes = 0;  // experts are paged from disk within this; 0: all are held
  std::string expert_routing_log;  // a file of JSON lines, one a row and layer; "": none
  int64_t expert_routing_log_bytes = 64 << 20;  // then it becomes NAME.1, as does the one before
  std::string instructions;  // "avx512", "avx2", "portable"; "": the best of this processor
};

// Only the weights of these layers are read. Errors name the file and the tensor.
Result<std::unique_ptr<Forward>> load_layer_stack(const std::string& model_folder,
                                                  const LayerStackOptions& options);

// No weights: hands rows on after `seconds_per_row_layer` for each row and layer; chooses tokens by
// a hash over the sequence's tokens, the same for every cut of the layers into ranges. Needs a
// hidden size of 8 or more. For benchmarks of everything around the computation, and its tests.
struct EmulatedOptions {
  ModelConfig config;
  LayerRange layers;
  double seconds_per_row_layer = 0.0008;
  int64_t kv_positions = 1 << 20;
  std::function<void(int64_t)> wait_ns;  // what passes that time; empty: the calling thread waits
};
std::unique_ptr<Forward> emulated_forward(EmulatedOptions options);

}  // namespace binnacle::engine
