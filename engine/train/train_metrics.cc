#include "engine/train/train_metrics.h"

#include <algorithm>
#include <array>
#include <string>

namespace binnacle::engine {
namespace {

constexpr std::array kStepBounds{0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,
                                 1.0,   2.5,  5.0,   10.0, 25.0, 60.0};
constexpr std::array kSkips{StepVerdict::kNotANumber, StepVerdict::kLossSpike,
                            StepVerdict::kGradientSpike};
constexpr std::array kPhases{"data", "forward_backward", "collective", "optimizer"};

std::span<const double> bounds() { return kStepBounds; }

}  // namespace

TrainMetrics::LastStep::LastStep(Registry& r)
    : tokens_per_second(r.gauge("moe_training_tokens_per_second",
                                "Tokens trained on per second, mean of the last steps.")),
      mfu(r.gauge("train_mfu_ratio",
                  "Useful floating-point operations per second over what a large matrix product "
                  "reaches here.")),
      loss(r.gauge("moe_training_loss", "Cross entropy of the last step, nats per token.")),
      train_loss(r.gauge("train_loss",
                         "What the last step minimised: cross entropy with the "
                         "weighted losses of the routers.")),
      norm(r.gauge("train_grad_norm", "Length of the last gradient, before clipping.")),
      rate(r.gauge("train_learning_rate", "Learning rate of the last step.")),
      balance(r.gauge("moe_router_load_balance_loss",
                      "Load balance loss of the last step, not weighted; 1 is even.")),
      aux(r.gauge("moe_aux_loss", "Load balance loss of the last step, as weighted in the total.")),
      z(r.gauge("moe_z_loss", "Router z loss of the last step, as weighted in the total.")) {}

TrainMetrics::TrainMetrics(Registry& r, const TrainSettings& settings, int64_t parameters,
                           const Clock& clock)
    : settings_(settings),
      flops_per_token_(training_flops_per_token(settings)),
      clock_(clock),
      registry_(r),
      step_(r.gauge("train_step", "Steps done since the first start, skipped ones included.")),
      steps_(r.counter("moe_training_steps_total", "Steps done by this process.")),
      tokens_(r.counter("train_tokens_total", "Tokens trained on by all ranks.")),
      step_seconds_(r.histogram("train_step_seconds", "Time of a step.", bounds())),
      moe_step_seconds_(
          r.histogram("moe_training_step_duration", "Time of a step, in seconds.", bounds())),
      data_wait_(r.histogram("train_data_wait_seconds", "Time a step waited for its batch.",
                             latency_bounds())),
      checkpoint_seconds_(
          r.histogram("train_checkpoint_seconds", "Time to write a checkpoint.", bounds())),
      validation_seconds_(
          r.histogram("train_validation_seconds", "Time of a validation.", bounds())),
      checkpoint_failures_(r.counter("train_checkpoint_failures_total",
                                     "Checkpoints that could not be written; training went on.")),
      export_failures_(r.counter("train_export_failures_total",
                                 "Model folders that could not be written; training went on.")),
      last_checkpoint_(r.gauge("train_last_checkpoint_timestamp",
                               "When the newest checkpoint was written, Unix seconds.")),
      nan_(r.counter("train_nan_total", "Steps whose loss or gradient was not a number.")),
      goodput_(r.gauge("train_goodput_ratio",
                       "Time in steps that were applied over all time since the first start, time "
                       "lost to crashes included.")),
      stalled_(r.gauge("train_stalled", "1 while no step ends for far longer than usual.")) {
  for (const StepVerdict verdict : kSkips) {
    skipped_.push_back(&r.counter("train_skipped_steps_total", "Steps that were not applied.",
                                  {{"reason", std::string(skip_reason(verdict))}}));
  }
  for (const char* phase : kPhases) {
    phases_.push_back(&r.counter("train_phase_seconds_total", "Where the time of steps went.",
                                 {{"phase", phase}}));
  }
  // Weights, gradients and two moments.
  r.gauge("moe_gpu_memory_usage",
          "Bytes that weights, gradients and optimiser hold on the device that trains.",
          {{"device", "cpu"}})
      .set(16.0 * static_cast<double>(parameters));
  make_layers(r, settings.shape.config);
  make_ranks(r, settings.ranks);
}

void TrainMetrics::make_layers(Registry& r, const ModelConfig& config) {
  if (config.experts == 0) return;
  for (int32_t i = 0; i < config.layers; ++i) {
    const std::string layer = std::to_string(i);
    Layer made;
    for (int32_t e = 0; e < config.experts; ++e) {
      const InstrumentLabels labels{{"layer", layer}, {"expert", std::to_string(e)}};
      made.expert_rows.push_back(
          &r.counter("moe_expert_tokens_total", "Rows that the router sent to an expert.", labels));
      made.utilization.push_back(&r.gauge(
          "moe_expert_utilization", "Share of the last step's rows that an expert got.", labels));
    }
    made.imbalance =
        &r.gauge("moe_load_imbalance",
                 "Rows of the busiest expert over the mean, in the last step.", {{"layer", layer}});
    made.entropy = &r.gauge("moe_router_entropy",
                            "Mean entropy of the router's distribution in the last step, nats.",
                            {{"layer", layer}});
    made.dropped =
        &r.counter("moe_dropped_tokens_total",
                   "Choices of experts that were full; these added nothing.", {{"layer", layer}});
    layers_.push_back(std::move(made));
  }
}

void TrainMetrics::make_ranks(Registry& r, int32_t ranks) {
  for (int32_t i = 0; i < ranks; ++i) {
    const std::string rank = std::to_string(i);
    ranks_.push_back(
        {.wait = &r.histogram("train_collective_wait_seconds",
                              "Time a rank waited for the others' gradients in a step; the rank "
                              "that waits least is the slow one.",
                              bounds(), {{"rank", rank}}),
         .last_step = &r.gauge("train_last_step_timestamp",
                               "When a rank's last step ended, Unix seconds.", {{"rank", rank}}),
         .straggler = &r.gauge("train_straggler_score",
                               "Speed of a rank beside the quickest, 1 is as quick; of a run of "
                               "one process beside its own best.",
                               {{"rank", rank}})});
    ranks_.back().straggler->set(1);
  }
}

void TrainMetrics::begun(int64_t step) {
  step_.set(static_cast<double>(step));
  goodput_.set(1);
}

void TrainMetrics::step(const StepFigures& f, const std::vector<RankReport>& reports) {
  step_.set(static_cast<double>(f.step));
  steps_.add();
  tokens_.add(static_cast<double>(f.tokens));
  if (!last_step_) last_step_.emplace(registry_);
  last_step_->tokens_per_second.set(f.tokens_per_second);
  if (settings_.peak_flops > 0) {
    last_step_->mfu.set(f.tokens_per_second * flops_per_token_ /
                        (settings_.peak_flops * settings_.ranks));
  }
  last_step_->loss.set(f.loss.cross_entropy);
  last_step_->train_loss.set(f.loss.total);
  last_step_->norm.set(f.gradient_norm);
  last_step_->rate.set(f.learning_rate);
  step_seconds_.observe(f.step_seconds);
  moe_step_seconds_.observe(f.step_seconds);
  data_wait_.observe(f.data_seconds);
  const std::array seconds{f.data_seconds, f.compute_seconds, f.exchange_seconds, f.update_seconds};
  for (size_t i = 0; i < seconds.size(); ++i) phases_[i]->add(seconds[i]);
  if (f.verdict == StepVerdict::kNotANumber) nan_.add();
  const auto* const skip = std::find(kSkips.begin(), kSkips.end(), f.verdict);
  if (skip != kSkips.end()) skipped_[static_cast<size_t>(skip - kSkips.begin())]->add();
  const double now_s = static_cast<double>(clock_.wall_ms()) / 1000;
  for (size_t rank = 0; rank < reports.size(); ++rank) {
    ranks_[rank].wait->observe(reports[rank].wait_seconds);
    ranks_[rank].last_step->set(now_s);
  }
  router(f.loss);
}

void TrainMetrics::router(const LossParts& loss) {
  const ModelConfig& config = settings_.shape.config;
  last_step_->balance.set(loss.load_balance);
  last_step_->aux.set(config.load_balance_loss_weight * loss.load_balance);
  last_step_->z.set(config.z_loss_weight * loss.z);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::vector<int64_t>& rows = loss.routers[i].expert_rows;
    double all = 0;
    double most = 0;
    for (const int64_t n : rows) {
      all += static_cast<double>(n);
      most = std::max(most, static_cast<double>(n));
    }
    for (size_t e = 0; e < rows.size(); ++e) {
      layers_[i].expert_rows[e]->add(static_cast<double>(rows[e]));
      layers_[i].utilization[e]->set(static_cast<double>(rows[e]) / all);
    }
    layers_[i].imbalance->set(most * static_cast<double>(rows.size()) / all);
    layers_[i].entropy->set(loss.routers[i].entropy);
    layers_[i].dropped->add(static_cast<double>(loss.routers[i].dropped));
  }
}

void TrainMetrics::validated(double loss, double seconds) {
  registry_.gauge("moe_validation_loss", "Cross entropy on the validation texts, nats per token.")
      .set(loss);
  validation_seconds_.observe(seconds);
}

void TrainMetrics::checkpointed(bool written, double seconds) {
  checkpoint_seconds_.observe(seconds);
  if (written) {
    last_checkpoint_.set(static_cast<double>(clock_.wall_ms()) / 1000);
  } else {
    checkpoint_failures_.add();
  }
}

void TrainMetrics::exported(bool written) {
  if (!written) export_failures_.add();
}

void TrainMetrics::goodput(double ratio) { goodput_.set(ratio); }

void TrainMetrics::stalled(bool now) { stalled_.set(now ? 1 : 0); }

void TrainMetrics::stragglers(const std::vector<double>& scores) {
  for (size_t rank = 0; rank < scores.size(); ++rank) ranks_[rank].straggler->set(scores[rank]);
}

}  // namespace binnacle::engine
