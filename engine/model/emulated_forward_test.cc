#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/model/layer_stack.h"

namespace binnacle::engine {
namespace {

ModelConfig small_model() {
  ModelConfig config;
  config.layers = 6;
  config.hidden = 16;
  config.vocabulary = 300;
  config.max_positions = 512;
  config.end_tokens = {7};
  return config;
}

struct Emulated {
  explicit Emulated(std::vector<int> cuts, int64_t kv_positions = 4096) {
    cuts.insert(cuts.begin(), 0);
    cuts.push_back(6);
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      EmulatedOptions options{small_model(), {cuts[i], cuts[i + 1]}, 0, kv_positions, {}};
      ranges.push_back(emulated_forward(options));
    }
  }

  // Feeds the tokens from `first` on and gives the next one.
  int32_t feed(SequenceId sequence, std::span<const int32_t> tokens, int32_t first = 0) {
    Step step;
    step.slices = {{sequence, first, static_cast<int32_t>(tokens.size()), Sampling{}}};
    step.tokens.assign(tokens.begin(), tokens.end());
    for (auto& range : ranges) {
      if (range != ranges.back()) step.slices[0].sampling.reset();
      if (range == ranges.back()) step.slices[0].sampling = Sampling{};
      auto result = range->run(step);
      EXPECT_TRUE(result) << result.error().message;
      if (range == ranges.back()) return result->choices.at(0).token;
      step.tokens.clear();
      step.hidden = std::move(result->hidden);
    }
    return -1;
  }

  std::vector<std::unique_ptr<Forward>> ranges;
};

const std::vector<int32_t> kPrompt = {5, 9, 200, 13, 5, 9};

TEST(EmulatedForward, TokensDependOnNothingButTheSequence) {
  Emulated whole({});
  const int32_t token = whole.feed(1, kPrompt);
  EXPECT_EQ(Emulated({2, 4}).feed(9, kPrompt), token);
  EXPECT_EQ(Emulated({1, 2, 3, 4, 5}).feed(9, kPrompt), token);
  Emulated sliced({3});
  const std::span<const int32_t> prompt(kPrompt);
  sliced.feed(2, prompt.first(1));
  sliced.feed(2, prompt.subspan(1, 4), 1);
  EXPECT_EQ(sliced.feed(2, prompt.subspan(5), 5), token);
}

TEST(EmulatedForward, AWrongReplayGivesAnotherToken) {
  Emulated pipeline({3});
  const int32_t token = pipeline.feed(1, kPrompt);
  auto wrong = kPrompt;
  wrong[0] = 6;
  EXPECT_NE(pipeline.feed(2, wrong), token);
  // The second range alone kept another history: the first was replayed, it was not.
  const std::span<const int32_t> prompt(kPrompt);
  Emulated half({3});
  half.feed(3, std::span<const int32_t>(wrong).first(5));
  half.ranges[0]->release(3);
  Step replay;
  replay.slices = {{3, 0, 5, {}}};
  replay.tokens.assign(kPrompt.begin(), kPrompt.begin() + 5);
  ASSERT_TRUE(half.ranges[0]->run(replay));
  EXPECT_NE(half.feed(3, prompt.subspan(5), 5), token);
  EXPECT_EQ(half.feed(3, prompt), token);  // from the beginning all is well again
}

TEST(EmulatedForward, GapsFullCachesAndBadStepsAreRefused) {
  Emulated model({}, 32);
  const auto run = [&](Slice slice, std::vector<int32_t> tokens) {
    Step step;
    step.slices = {slice};
    step.tokens = std::move(tokens);
    const auto result = model.ranges[0]->run(step);
    return result ? std::string("fine") : std::string(code_name(result.error().code));
  };
  EXPECT_EQ(run({1, 0, 2, {}}, {1, 2}), "fine");
  EXPECT_EQ(run({1, 3, 1, {}}, {1}), "failed_precondition");
  EXPECT_EQ(run({1, 2, 2, {}}, {1}), "invalid_argument");
  EXPECT_EQ(run({1, 2, 1, {}}, {300}), "invalid_argument");
  EXPECT_EQ(run({2, 0, 16, {}}, std::vector<int32_t>(16, 1)), "fine");
  EXPECT_EQ(run({3, 0, 1, {}}, {1}), "resource_exhausted");
  EXPECT_EQ(model.ranges[0]->kv_usage().sequences, 2);
  EXPECT_EQ(model.ranges[0]->kv_usage().positions_used, 32);
  model.ranges[0]->release(1);
  EXPECT_EQ(run({3, 0, 1, {}}, {1}), "fine");
}

TEST(EmulatedForward, NeverChoosesEndOrForbiddenTokens) {
  ModelConfig config = small_model();
  config.vocabulary = 10;
  const auto model = emulated_forward({config, {0, 6}, 0, 4096, {}});
  Sampling sampling;
  sampling.forbidden = {3};
  for (int32_t i = 0; i < 100; ++i) {
    Step step;
    step.slices = {{1, i, 1, sampling}};
    step.tokens = {i % 10};
    const auto result = model->run(step);
    ASSERT_TRUE(result);
    EXPECT_NE(result->choices.at(0).token, 7);
    EXPECT_NE(result->choices.at(0).token, 3);
  }
}

TEST(EmulatedForward, WaitsForEachRowAndLayer) {
  int64_t waited_ns = 0;
  EmulatedOptions options{small_model(), {0, 3}, 10, 4096, [&](int64_t ns) { waited_ns += ns; }};
  const auto model = emulated_forward(options);
  Step step;
  step.slices = {{1, 0, 2, {}}, {2, 0, 2, {}}};
  step.tokens = {1, 2, 3, 4};
  ASSERT_TRUE(model->run(step));
  EXPECT_NEAR(static_cast<double>(waited_ns) * 1e-9, 120, 10);
  EXPECT_EQ(model->stats().layer_seconds, std::vector<double>(3, 40.0));
}

}  // namespace
}  // namespace binnacle::engine
