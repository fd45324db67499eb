// What a run tells of itself: the instruments of docs/training.md. The trainer's thread calls; any
// thread reads through the registry.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "engine/train/rank_report.h"
#include "engine/train/step_guard.h"
#include "engine/train/train_settings.h"

namespace binnacle::engine {

// One step, over all ranks.
struct StepFigures {
  int64_t step = 0;  // steps done, this one included
  StepVerdict verdict = StepVerdict::kApply;
  LossParts loss;
  double gradient_norm = 0;
  double learning_rate = 0;
  int64_t tokens = 0;
  double data_seconds = 0;
  double compute_seconds = 0;  // forward and backward
  double exchange_seconds = 0;
  double update_seconds = 0;
  double step_seconds = 0;  // the whole
  double tokens_per_second = 0;
};

class TrainMetrics {
 public:
  // `parameters`: floats of the model.
  TrainMetrics(Registry& registry, const TrainSettings& settings, int64_t parameters,
               const Clock& clock);

  void begun(int64_t step);  // steps that were done before
  void step(const StepFigures& figures, const std::vector<RankReport>& reports);
  void validated(double loss, double seconds);
  void checkpointed(bool written, double seconds);
  void exported(bool written);
  void goodput(double ratio);
  void stalled(bool now);
  void stragglers(const std::vector<double>& scores);

 private:
  // Made by the first step: a zero before it would be the best loss that a run ever had.
  struct LastStep {
    explicit LastStep(Registry& registry);
    Gauge& tokens_per_second;
    Gauge& mfu;
    Gauge& loss;
    Gauge& train_loss;
    Gauge& norm;
    Gauge& rate;
    Gauge& balance;
    Gauge& aux;
    Gauge& z;
  };
  struct Layer {
    std::vector<Counter*> expert_rows;
    std::vector<Gauge*> utilization;
    Gauge* imbalance;
    Gauge* entropy;
    Counter* dropped;
  };
  struct Rank {
    Histogram* wait;
    Gauge* last_step;
    Gauge* straggler;
  };

  void router(const LossParts& loss);
  void make_layers(Registry& registry, const ModelConfig& config);
  void make_ranks(Registry& registry, int32_t ranks);

  const TrainSettings settings_;
  const double flops_per_token_;
  const Clock& clock_;
  Registry& registry_;
  Gauge& step_;
  Counter& steps_;
  Counter& tokens_;
  std::optional<LastStep> last_step_;
  Histogram& step_seconds_;
  Histogram& moe_step_seconds_;
  Histogram& data_wait_;
  Histogram& checkpoint_seconds_;
  Histogram& validation_seconds_;
  Counter& checkpoint_failures_;
  Counter& export_failures_;
  Gauge& last_checkpoint_;
  Counter& nan_;
  Gauge& goodput_;
  Gauge& stalled_;
  std::vector<Counter*> skipped_;  // by verdict
  std::vector<Counter*> phases_;   // data, forward and backward, exchange, update
  std::vector<Layer> layers_;
  std::vector<Rank> ranks_;
};

}  // namespace binnacle::engine
