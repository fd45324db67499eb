#include "engine/model/torch/torch_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>

#include "engine/train/test_run.h"

namespace binnacle::engine {
namespace {

struct CheckedModel {
  explicit CheckedModel(const TrainSettings& settings)
      : model(TorchModel::create(settings.shape).value()), state(*model, settings) {
    SeededRandom random(3);
    state.initialise(random);
    // Larger than at the start of a run, so that every part bends the loss.
    for (const ParameterRange& range : model->ranges()) {
      if (range.shape.size() < 2) continue;
      for (int64_t i = 0; i < range.size; ++i) model->parameters()[range.offset + i] *= 8;
    }
    const BatchSource batches(corpus.training, settings.rows, settings.length, 1);
    tokens = batches.batch(0, 0, settings.rows);
  }

  TextCorpus corpus = license_corpus();
  std::unique_ptr<TorchModel> model;
  TrainState state;
  std::vector<int32_t> tokens;
};

bool same_routes(const LossParts& a, const LossParts& b) {
  for (size_t i = 0; i < a.routers.size(); ++i) {
    if (a.routers[i].expert_rows != b.routers[i].expert_rows) return false;
  }
  return true;
}

// Along the gradient of one tensor the loss must rise as the gradient says. Where a row would go to
// another expert on the way the loss has a step that no gradient knows: a shorter way is taken.
void check_gradients(TrainSettings settings) {
  settings.rows = 1;
  settings.length = 16;
  CheckedModel checked(settings);
  TorchModel& model = *checked.model;
  const int32_t* tokens = checked.tokens.data();
  ASSERT_TRUE(model.forward_backward(tokens, settings.rows, settings.length));
  const std::vector<float> gradient(model.gradients(), model.gradients() + model.size());
  size_t seen = 0;
  for (const ParameterRange& range : model.ranges()) {
    float* values = model.parameters() + range.offset;
    const std::span<const float> slope(gradient.data() + range.offset,
                                       static_cast<size_t>(range.size));
    const std::vector<float> before(values, values + range.size);
    const double length = length_of(slope);
    if (length < 0.02) continue;  // nothing to see above the rounding of float
    const auto moved = [&](double by) {
      for (size_t i = 0; i < slope.size(); ++i) {
        values[i] = static_cast<float>(before[i] + by * slope[i] / length);
      }
      return model.evaluate(tokens, settings.rows, settings.length).value();
    };
    double step = 4e-3;
    LossParts up = moved(step);
    LossParts down = moved(-step);
    while (!same_routes(up, down) && step > 1e-4) {
      step /= 2;
      up = moved(step);
      down = moved(-step);
    }
    moved(0);
    const double measured = (up.total - down.total) / (2 * step);
    EXPECT_NEAR(measured / length, 1, 0.03) << range.name << " " << length << " " << step;
    ++seen;
  }
  EXPECT_GT(seen, model.ranges().size() / 2);
}

TEST(TorchModelTest, GradientsOfExpertsAgreeWithFiniteDifferences) {
  check_gradients(tiny_settings());
}

TEST(TorchModelTest, GradientsWithFullExpertsAgreeToo) {
  TrainSettings settings = tiny_settings();
  settings.shape.capacity_factor = 0.75;
  check_gradients(settings);
}

TEST(TorchModelTest, GradientsOfADenseModelAgree) {
  TrainSettings settings = tiny_settings();
  settings.shape.config.experts = 0;
  settings.shape.config.ffn = 64;
  check_gradients(settings);
}

TEST(TorchModelTest, GradientsAddUp) {
  const TrainSettings settings = tiny_settings();
  CheckedModel checked(settings);
  TorchModel& model = *checked.model;
  const auto run = [&] {
    (void)model.forward_backward(checked.tokens.data(), settings.rows, settings.length).value();
  };
  run();
  const std::vector<float> once(model.gradients(), model.gradients() + model.size());
  run();
  for (size_t i = 0; i < once.size(); ++i) ASSERT_EQ(model.gradients()[i], 2 * once[i]) << i;
}

TEST(TorchModelTest, RouterCountsEveryRow) {
  const TrainSettings settings = tiny_settings();
  CheckedModel checked(settings);
  const LossParts parts =
      checked.model->evaluate(checked.tokens.data(), settings.rows, settings.length).value();
  ASSERT_EQ(parts.routers.size(), 2);
  for (const RouterStats& router : parts.routers) {
    int64_t rows = 0;
    for (const int64_t n : router.expert_rows) rows += n;
    EXPECT_EQ(rows, settings.rows * settings.length * 2);
    EXPECT_EQ(router.dropped, 0);
    EXPECT_GT(router.entropy, 0);
    EXPECT_LE(router.entropy, std::log(4.0) + 1e-6);
  }
  EXPECT_GE(parts.load_balance, 0.9);
}

TEST(TorchModelTest, WhatIsNotTrainedIsRefusedByName) {
  TrainingShape shape = tiny_settings().shape;
  shape.config.shared_expert_ffn = 8;
  const auto made = TorchModel::create(shape);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kUnimplemented);
  EXPECT_NE(made.error().message.find("shared expert"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::engine
