// The trainer's model written as anyone would with libtorch: modules' functions, its optimiser, its
// clipping, no figures taken. For comparison alone. Plain types; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/model/model_config.h"

namespace binnacle::engine {

class PlainTrain {
 public:
  explicit PlainTrain(const ModelConfig& config, double learning_rate);
  ~PlainTrain();
  // The loss of one step. `tokens`: rows x (length + 1).
  double step(const std::vector<int32_t>& tokens, int64_t rows, int64_t length);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::engine
