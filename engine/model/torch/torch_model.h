// The model that is trained: forward and backward in libtorch, everything else outside. Parameters
// and gradients are one flat array each, so that the optimiser, the exchange between processes and
// checkpoints know nothing of tensors. Plain types only: files with libtorch are compiled as C++17
// and this header is all that the rest sees of them. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

// Where a tensor lies in the flat arrays; names as ModelFolder has them.
struct ParameterRange {
  std::string name;
  std::vector<int64_t> shape;
  int64_t offset = 0;
  int64_t size = 0;
};

struct TrainingShape {
  ModelConfig config;
  // An expert takes at most capacity_factor * rows * experts_per_token / experts choices of a
  // batch, the first ones; what is beyond is dropped: that choice adds nothing to its row. 0: no
  // bound, nothing is dropped.
  float capacity_factor = 0;
};

// What the router of one layer did with a batch.
struct RouterStats {
  std::vector<int64_t> expert_rows;  // choices that each expert got, dropped ones included
  int64_t dropped = 0;               // choices that no expert took
  double entropy = 0;                // of the router's distribution, nats, mean over rows
};

struct LossParts {
  double cross_entropy = 0;          // nats per token
  double load_balance = 0;           // 1 is even; mean over layers, not weighted
  double z = 0;                      // mean over layers, not weighted
  double total = 0;                  // what is minimised: weighted
  std::vector<RouterStats> routers;  // by layer; empty for a dense model
};

class TorchModel {
 public:
  virtual ~TorchModel() = default;

  // All parameters zero. kUnimplemented: the shape has something that is not trained here, by name.
  static Result<std::unique_ptr<TorchModel>> create(const TrainingShape& shape);

  virtual const std::vector<ParameterRange>& ranges() const = 0;
  virtual int64_t size() const = 0;  // of either array: floats, padding included
  virtual float* parameters() = 0;
  virtual float* gradients() = 0;

  // `tokens`: rows x (length + 1), each row's successor the target. Adds to the gradients.
  // kInternal: libtorch threw.
  virtual Result<LossParts> forward_backward(const int32_t* tokens, int64_t rows,
                                             int64_t length) = 0;
  virtual Result<LossParts> evaluate(const int32_t* tokens, int64_t rows, int64_t length) = 0;
};

// Checks what create() refuses, with no memory taken.
Status check_trainable(const ModelConfig& config);

// Of the whole process; results are the same bit for bit only with the same number.
void set_tensor_threads(int threads);
// What a large matrix product reaches here: the mark that utilisation is told against.
double measure_matmul_flops_per_second(const Clock& clock);

}  // namespace binnacle::engine
