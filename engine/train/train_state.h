// The state of a run: the model's arrays, the optimiser's, and what is counted. Made anew, read
// from a checkpoint, or taken over from rank 0. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "engine/train/adam_w.h"
#include "engine/train/checkpoint.h"
#include "engine/train/collective.h"
#include "engine/train/step_guard.h"

namespace binnacle::engine {

struct TrainState {
  TrainState(TorchModel& trained, const TrainSettings& settings);

  // Normal with deviation 0.02, less for what is added to the residual stream (GPT-2); norms 1.
  void initialise(Random& random);

  std::span<float> parameters();
  std::span<float> gradients();
  CheckpointView view();
  // Between `progress` and the guard, before a write and after a read.
  void guard_to_progress();
  void progress_to_guard();
  // Every rank gets what rank 0 has.
  Status share(Collective& collective);

  TorchModel& model;
  AdamW optimizer;
  StepGuard guard;
  TrainProgress progress;
};

// Of what decides the bits of a run beside its checkpoint.
uint64_t settings_fingerprint(const TrainSettings& settings);

}  // namespace binnacle::engine
