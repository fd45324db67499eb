#include "engine/train/export_model.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "engine/model/layer_stack.h"
#include "engine/train/test_run.h"

namespace binnacle::engine {
namespace {

class ExportModelTest : public testing::Test {
 protected:
  ExportModelTest() : folder_(testing::TempDir() + "binnacle-export-" + secure_random_hex(8)) {}
  ~ExportModelTest() override { (void)real_file_system().remove_all(folder_); }

  // Mean over the row of what the serving engine gives each next token.
  double served_loss(const std::vector<int32_t>& row) {
    const int32_t length = static_cast<int32_t>(row.size()) - 1;
    auto forward =
        load_layer_stack(folder_, {.layers = {0, 2}, .kv_positions = 256, .expert_routing_log = {}})
            .value();
    double sum = 0;
    for (int32_t i = 0; i < length; ++i) {
      Sampling sampling;
      sampling.temperature = 0;
      sampling.bias = {
          {row[static_cast<size_t>(i) + 1], 100.0F}};  // chosen, whatever the model says
      Step step;
      step.slices.push_back({.sequence = 1, .first_position = i, .rows = 1, .sampling = sampling});
      step.tokens = {row[static_cast<size_t>(i)]};
      sum -= forward->run(step).value().choices.at(0).logprob;
    }
    return sum / length;
  }

  // Trains, writes the model, and compares.
  void check(TrainSettings settings) {
    settings.steps = 20;
    FaultFileSystem files;
    TestRun run(settings, files);
    ASSERT_TRUE(run.trainer->begin());
    ASSERT_TRUE(run.trainer->run());
    const auto written =
        export_model(run.model, settings.shape.config, NumberType::kFloat32, folder_);
    ASSERT_TRUE(written) << written.error().message;
    const BatchSource batches(run.corpus.validation, 1, settings.length, 5);
    const std::vector<int32_t> row = batches.batch(0, 0, 1);
    const double trained = run.model.evaluate(row.data(), 1, settings.length)->cross_entropy;
    EXPECT_NEAR(served_loss(row), trained, 1e-4);
  }

  const std::string folder_;
};

TEST_F(ExportModelTest, WhatIsServedIsWhatWasTrained) { check(tiny_settings()); }

TEST_F(ExportModelTest, DenseModelWithTiedEmbeddingsToo) {
  TrainSettings settings = tiny_settings();
  settings.shape.config.architecture = "LlamaForCausalLM";
  settings.shape.config.experts = 0;
  settings.shape.config.experts_per_token = 0;
  settings.shape.config.ffn = 64;
  settings.shape.config.tied_embeddings = true;
  check(settings);
}

}  // namespace
}  // namespace binnacle::engine
