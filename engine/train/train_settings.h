// What a training run is told. Plain values with their defaults; docs/training.md has the table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model/torch/torch_model.h"

namespace binnacle::engine {

struct OptimizerSettings {
  double learning_rate = 3e-3;   // at its peak
  double last_rate_ratio = 0.1;  // of the peak, at the end
  int64_t warm_up_steps = 50;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;  // of matrices
  double clip_norm = 1;       // longer gradients are shortened to it
};

struct GuardSettings {
  int64_t spike_window = 128;  // accepted steps that a value is held against
  int64_t spike_after = 64;    // of them, before it is judged
  double spike_sigmas = 6;
  int64_t max_skipped_in_a_row = 20;   // then the run stops
  int64_t stall_factor = 10;           // a step of that many medians is a stall,
  int64_t shortest_stall_ms = 30'000;  // and never before that
  double straggler_score = 0.7;
};

struct TrainSettings {
  TrainingShape shape;
  OptimizerSettings optimizer;
  GuardSettings guard;
  int64_t rows = 8;      // sequences of a step and rank
  int64_t length = 256;  // tokens of a sequence
  int64_t steps = 2'000;
  uint64_t seed = 1;
  int64_t validate_every = 50;  // steps; 0: never
  int64_t validation_batches = 4;
  int64_t checkpoint_every = 100;  // steps
  int64_t checkpoints_kept = 3;
  int32_t rank = 0;
  int32_t ranks = 1;
  double peak_flops = 0;  // of one rank; 0: measured at the start
};

// A shape with a name: "tiny" (tests), "demo" (1.9 M parameters, a few minutes), "small"
// (256 x 6 layers). kInvalidArgument names those there are.
Result<ModelConfig> preset_model(std::string_view name);

// kOutOfRange that names the setting.
Status check_settings(const TrainSettings& settings);

// Floating-point operations of training on one token: six for each weight that it meets, and the
// attention over a sequence.
double training_flops_per_token(const TrainSettings& settings);

}  // namespace binnacle::engine
