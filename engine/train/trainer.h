// The loop of a run: a batch, forward and backward, the exchange with other ranks, the judgement of
// the guard, the update; now and then a validation and a checkpoint. What comes from outside comes
// in through TrainerParts. begin() and run() by one thread; stalls may be asked for by any.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "engine/train/batch_source.h"
#include "engine/train/stall_watch.h"
#include "engine/train/straggler_watch.h"
#include "engine/train/text_corpus.h"
#include "engine/train/train_metrics.h"
#include "engine/train/train_state.h"

namespace binnacle::engine {

// Something that an operator may want to hear of: "train.step_skipped", "train.straggler",
// "train.stalled", "train.checkpoint_failed", "train.export_failed", "train.stopped".
struct TrainEvent {
  std::string kind;
  std::string subject;
  std::string data;  // a JSON object
};

// All outlive the trainer. What may be empty does nothing then.
struct TrainerParts {
  TorchModel& model;
  const TextCorpus& corpus;
  Collective& collective;
  CheckpointFolder* checkpoints = nullptr;  // of rank 0
  TrainMetrics& metrics;
  const Clock& clock;
  std::function<Status()> export_model;  // after each checkpoint, of rank 0
  std::function<void(const TrainEvent&)> tell;
  std::function<void(const StepFigures&)> progress;
  std::function<void(double loss)> validated;
  std::function<bool()> stop_asked;
};

enum class TrainEnd : uint8_t { kFinished, kStopped };

class Trainer {
 public:
  Trainer(const TrainSettings& settings, TrainerParts parts);

  // From the newest checkpoint, or from the start.
  Status begin();
  // With the last checkpoint written. kFailedPrecondition: no progress. Of the collective: a rank
  // that did not come; the state after the last whole step is in a checkpoint then.
  Result<TrainEnd> run();

  const TrainProgress& progress() const { return state_.progress; }
  const StallWatch& stalls() const { return stalls_; }

 private:
  Status resume();
  Result<bool> step();  // false: somebody was asked to stop
  void apply(StepFigures& figures);
  void tell_skipped(const StepFigures& figures);
  void tell_stragglers(const std::vector<RankReport>& reports);
  void after_step(StepFigures& figures, const std::vector<RankReport>& reports);
  Status validate();
  void checkpoint(bool clean);
  double elapsed_seconds() const;
  double seconds_since(int64_t begin_ns) const;

  const TrainSettings settings_;
  TrainerParts parts_;
  const Log log_{"train"};
  TrainState state_;
  BatchSource batches_;
  BatchSource validation_;
  StallWatch stalls_;
  StragglerWatch stragglers_;
  std::deque<double> recent_seconds_;  // of the last steps
  double last_wait_seconds_ = 0;
  double elapsed_before_ = 0;  // in earlier processes
  int64_t began_ns_ = 0;
  int64_t checkpoint_step_ = -1;  // of the newest one
};

}  // namespace binnacle::engine
