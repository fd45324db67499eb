// A small run over real text with everything that it needs, for tests: disk and clock are the
// test's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fault_file_system.h"
#include "base/instruments.h"
#include "engine/train/trainer.h"

namespace binnacle::engine {

inline TrainSettings tiny_settings() {
  TrainSettings s;
  ModelConfig& c = s.shape.config;
  c.name = "tiny";
  c.architecture = "MixtralForCausalLM";
  c.layers = 2;
  c.hidden = 32;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_size = 8;
  c.vocabulary = 258;
  c.max_positions = 128;
  c.experts = 4;
  c.experts_per_token = 2;
  c.expert_ffn = 48;
  s.rows = 4;
  s.length = 32;
  s.steps = 12;
  s.optimizer.warm_up_steps = 4;
  s.optimizer.learning_rate = 1e-2;
  s.validate_every = 4;
  s.validation_batches = 1;
  s.checkpoint_every = 4;
  return s;
}

inline TextCorpus license_corpus() {
  auto corpus = TextCorpus::read(real_file_system(), "/usr/share/common-licenses", 1024, {});
  return std::move(corpus).value();
}

// A model whose forward pass a test may spoil.
class SpoiledModel final : public TorchModel {
 public:
  explicit SpoiledModel(const TrainingShape& shape) : real_(TorchModel::create(shape).value()) {}
  const std::vector<ParameterRange>& ranges() const override { return real_->ranges(); }
  int64_t size() const override { return real_->size(); }
  float* parameters() override { return real_->parameters(); }
  float* gradients() override { return real_->gradients(); }
  Result<LossParts> forward_backward(const int32_t* tokens, int64_t rows, int64_t length) override {
    auto parts = real_->forward_backward(tokens, rows, length);
    if (parts && spoil) spoil(calls, *parts, real_->gradients());
    ++calls;
    return parts;
  }
  Result<LossParts> evaluate(const int32_t* tokens, int64_t rows, int64_t length) override {
    return real_->evaluate(tokens, rows, length);
  }

  std::function<void(int64_t call, LossParts& parts, float* gradients)> spoil;
  int64_t calls = 0;

 private:
  std::unique_ptr<TorchModel> real_;
};

// One process of a run.
class TestRun {
 public:
  TestRun(const TrainSettings& settings, FileSystem& files, Collective* collective = nullptr)
      : settings(settings),
        model(settings.shape),
        corpus(license_corpus()),
        metrics(registry, settings, model.size(), clock) {
    if (settings.rank == 0) {
      checkpoints =
          std::make_unique<CheckpointFolder>(CheckpointFolder::open(files, "/run").value());
    }
    trainer = std::make_unique<Trainer>(
        settings, TrainerParts{.model = model,
                               .corpus = corpus,
                               .collective = collective == nullptr ? sole : *collective,
                               .checkpoints = checkpoints.get(),
                               .metrics = metrics,
                               .clock = clock,
                               .export_model = {},
                               .tell = [this](const TrainEvent& e) { events.push_back(e); },
                               .progress =
                                   [this](const StepFigures& f) {
                                     steps.push_back(f);
                                     if (after_step) after_step(f);
                                   },
                               .validated = [this](double loss) { validated.push_back(loss); },
                               .stop_asked = [this] { return stop; }});
  }

  std::vector<float> weights() { return {model.parameters(), model.parameters() + model.size()}; }

  const TrainSettings settings;
  SimulatedClock clock;
  Registry registry;
  SpoiledModel model;
  TextCorpus corpus;
  TrainMetrics metrics;
  SoleRank sole;
  std::unique_ptr<CheckpointFolder> checkpoints;
  std::unique_ptr<Trainer> trainer;
  std::vector<TrainEvent> events;
  std::vector<StepFigures> steps;
  std::vector<double> validated;
  std::function<void(const StepFigures&)> after_step;
  bool stop = false;
};

}  // namespace binnacle::engine
