#include "engine/model/layer_stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/model/kernels.h"
#include "engine/model/testing/reference_forward.h"
#include "engine/model/testing/test_models.h"

namespace binnacle::engine {
namespace {

using testing::HasSubstr;

std::unique_ptr<Forward> load(const TestModel& model, LayerStackOptions options) {
  auto loaded = load_layer_stack(model.folder(), options);
  if (!loaded) ADD_FAILURE() << loaded.error().message;
  return loaded ? std::move(*loaded) : nullptr;
}

LayerStackOptions whole(int threads = 1) {
  LayerStackOptions options;
  options.layers = {0, 3};
  options.threads = threads;
  return options;
}

// All logprobs in the order of the tokens.
std::vector<float> by_token(const TokenChoice& choice) {
  std::vector<float> out(20, 1.0F);
  for (const auto& [token, logprob] : choice.top) out.at(static_cast<size_t>(token)) = logprob;
  return out;
}

// Ranges of one model, one after the other.
struct Pipeline {
  Pipeline(const TestModel& model, std::vector<int> cuts, LayerStackOptions options) {
    cuts.insert(cuts.begin(), 0);
    cuts.push_back(3);
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      options.layers = {cuts[i], cuts[i + 1]};
      ranges.push_back(load(model, options));
    }
  }

  Result<StepResult> run(Step step) {
    const std::vector<Slice> slices = step.slices;
    for (auto& range : ranges) {
      const bool last = range == ranges.back();
      step.slices = slices;
      for (Slice& slice : step.slices) {
        if (!last) slice.sampling.reset();
      }
      auto result = range->run(step);
      if (last || !result) return result;
      step.tokens.clear();
      step.hidden = std::move(result->hidden);
    }
    return fail(Code::kInternal, "no ranges");
  }

  std::vector<std::unique_ptr<Forward>> ranges;
};

std::vector<int32_t> random_tokens(SeededRandom& random, size_t count) {
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random.below(20));
  return tokens;
}

// One row at a time, alone, in one range, by one thread.
std::vector<std::vector<float>> alone(const TestModel& model, std::span<const int32_t> tokens,
                                      const std::string& instructions = "") {
  LayerStackOptions options = whole();
  options.instructions = instructions;
  const auto stack = load(model, options);
  std::vector<std::vector<float>> out;
  for (size_t position = 0; position < tokens.size(); ++position) {
    Step step;
    step.slices = {{1, static_cast<int32_t>(position), 1, all_logprobs()}};
    step.tokens = {tokens[position]};
    const auto result = stack->run(step);
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return out;
    out.push_back(by_token(result->choices.at(0)));
  }
  return out;
}

struct Shape {
  const char* name;
  ModelConfig (*config)();
  NumberType type;
};

class LayerStackOf : public testing::TestWithParam<Shape> {
 protected:
  TestModel model_{GetParam().config(), GetParam().type};
};

INSTANTIATE_TEST_SUITE_P(
    Shapes, LayerStackOf,
    testing::Values(Shape{"DenseFloat32", test_model, NumberType::kFloat32},
                    Shape{"DenseBfloat16", test_model, NumberType::kBfloat16},
                    Shape{"MixtureFloat32", test_mixture, NumberType::kFloat32},
                    Shape{"SharedBfloat16", test_shared_mixture, NumberType::kBfloat16}),
    [](const auto& shape) { return shape.param.name; });

TEST_P(LayerStackOf, AgreesWithThePapers) {
  SeededRandom random(1);
  const auto tokens = random_tokens(random, 40);
  const auto folder = ModelFolder::open(model_.folder());
  ASSERT_TRUE(folder);
  const auto expected = reference_logprobs(**folder, tokens);
  for (const Kernels* kernels : kernels()) {
    const auto found = alone(model_, tokens, kernels->instructions);
    ASSERT_EQ(found.size(), tokens.size());
    for (size_t p = 0; p < tokens.size(); ++p) {
      for (size_t t = 0; t < 20; ++t) {
        EXPECT_NEAR(found[p][t], expected[p][t], 2e-4) << kernels->instructions << " at " << p;
      }
    }
  }
}

TEST_P(LayerStackOf, ARowIsTheSameWhateverElseIsInTheBatch) {
  SeededRandom random(2);
  const auto tokens = random_tokens(random, 24);
  const auto expected = alone(model_, tokens);
  for (int32_t batch = 1; batch <= 17; ++batch) {
    const auto stack = load(model_, whole(batch % 2 + 1));
    // The last sequence is ours; the others have other tokens, and positions of their own.
    for (size_t position = 0; position < tokens.size(); ++position) {
      Step step;
      for (int32_t s = 1; s < batch; ++s) {
        step.slices.push_back(
            {static_cast<SequenceId>(s), std::max(0, static_cast<int32_t>(position) - s), 1, {}});
      }
      step.tokens = random_tokens(random, step.slices.size());
      step.slices.push_back({99, static_cast<int32_t>(position), 1, all_logprobs()});
      step.tokens.push_back(tokens[position]);
      const auto result = stack->run(step);
      ASSERT_TRUE(result) << result.error().message;
      ASSERT_EQ(by_token(result->choices.at(0)), expected[position]) << batch << " " << position;
    }
  }
}

// Several sequences in random slices, in random ranges, by one or two threads, with replays.
TEST_P(LayerStackOf, ARowIsTheSameForEveryCutOfPromptAndLayers) {
  SeededRandom random(3);
  const std::vector<std::vector<int>> cuts = {{}, {1}, {2}, {1, 2}};
  std::map<SequenceId, std::vector<int32_t>> tokens;
  std::map<SequenceId, std::vector<std::vector<float>>> expected;
  for (SequenceId s = 0; s < 3; ++s) {
    tokens[s] = random_tokens(random, 60);
    expected[s] = alone(model_, tokens[s]);
  }
  for (int round = 0; round < 12; ++round) {
    Pipeline pipeline(model_, cuts[random.below(4)], whole(1 + round % 2));
    std::map<SequenceId, int32_t> held;
    for (int steps = 0; steps < 12; ++steps) {
      Step step;
      for (auto& [sequence, all] : tokens) {
        int32_t& at = held[sequence];
        if (random.below(8) == 0) at = static_cast<int32_t>(random.below(at + 1));  // goes back
        const auto left = std::ssize(all) - at;
        const auto most = random.below(3) == 0 ? 50 : 6;
        const auto rows = std::min<int64_t>(left, static_cast<int64_t>(random.below(most)));
        if (rows == 0) continue;
        step.slices.push_back({sequence, at, static_cast<int32_t>(rows), all_logprobs()});
        step.tokens.insert(step.tokens.end(), all.begin() + at, all.begin() + at + rows);
        at += static_cast<int32_t>(rows);
      }
      if (step.slices.empty()) continue;
      const auto result = pipeline.run(step);
      ASSERT_TRUE(result) << result.error().message;
      for (size_t i = 0; i < step.slices.size(); ++i) {
        const Slice& slice = step.slices[i];
        const auto last = static_cast<size_t>(slice.first_position + slice.rows - 1);
        ASSERT_EQ(by_token(result->choices.at(i)), expected[slice.sequence][last]);
      }
    }
  }
}

TEST_P(LayerStackOf, InstructionSetsOfOneNameGiveTheSameBits) {
  SeededRandom random(4);
  const auto tokens = random_tokens(random, 33);
  const auto best = alone(model_, tokens);
  for (const Kernels* other : kernels()) {
    if (std::string_view(other->arithmetic) != kernels().front()->arithmetic) continue;
    EXPECT_EQ(alone(model_, tokens, other->instructions), best) << other->instructions;
  }
}

Step one_row(SequenceId sequence, int32_t position, int32_t token = 3) {
  Step step;
  step.slices = {{sequence, position, 1, all_logprobs()}};
  step.tokens = {token};
  return step;
}

Code code_of(const Result<StepResult>& result) {
  EXPECT_FALSE(result);
  return result ? Code::kInternal : result.error().code;
}

TEST(LayerStack, AFullCacheChangesNothing) {
  const TestModel model(test_model(), NumberType::kFloat32);
  LayerStackOptions options = whole();
  options.kv_positions = 32;
  const auto stack = load(model, options);
  const auto expected = load(model, options);
  for (int32_t p = 0; p < 5; ++p) ASSERT_TRUE(stack->run(one_row(1, p)));
  for (int32_t p = 0; p < 5; ++p) ASSERT_TRUE(expected->run(one_row(1, p)));
  Step big;
  big.slices = {{1, 2, 10, {}}, {2, 0, 17, {}}};
  big.tokens.assign(27, 1);
  EXPECT_EQ(code_of(stack->run(big)), Code::kResourceExhausted);
  EXPECT_EQ(stack->kv_usage().sequences, 1);
  EXPECT_EQ(stack->kv_usage().positions_used, 16);
  EXPECT_GT(stack->kv_usage().bytes, 0);
  EXPECT_EQ(stack->run(one_row(1, 5))->choices.at(0).top,
            expected->run(one_row(1, 5))->choices.at(0).top);
  stack->release(1);
  ASSERT_TRUE(stack->run(one_row(2, 0)));
  EXPECT_EQ(code_of(stack->run(one_row(1, 6))), Code::kFailedPrecondition);
}

TEST(LayerStack, BrokenWeightsAreDataLossAndTheSequenceCanBeReplayed) {
  for (const char* tensor : {"layer.1.down", "layer.2.k", "layer.0.attention_norm", "head"}) {
    const TestModel model(test_model(), NumberType::kFloat32, tensor,
                          std::numeric_limits<float>::quiet_NaN());
    const auto stack = load(model, whole());
    EXPECT_EQ(code_of(stack->run(one_row(1, 0))), Code::kDataLoss) << tensor;
    EXPECT_EQ(stack->kv_usage().sequences, 0);
  }
}

TEST(LayerStack, RefusesStepsThatDoNotFit) {
  const TestModel model(test_model(), NumberType::kFloat32);
  const auto stack = load(model, whole());
  EXPECT_EQ(code_of(stack->run({})), Code::kInvalidArgument);
  EXPECT_EQ(code_of(stack->run(one_row(1, 0, 20))), Code::kInvalidArgument);
  EXPECT_EQ(code_of(stack->run(one_row(1, 0, -1))), Code::kInvalidArgument);
  EXPECT_EQ(code_of(stack->run(one_row(1, 1))), Code::kFailedPrecondition);
  Step long_one;
  long_one.slices = {{1, 0, 201, {}}};
  long_one.tokens.assign(201, 1);
  EXPECT_EQ(code_of(stack->run(long_one)), Code::kInvalidArgument);
  LayerStackOptions first = whole();
  first.layers = {0, 2};
  EXPECT_EQ(code_of(load(model, first)->run(one_row(1, 0))), Code::kInvalidArgument);
}

TEST(LayerStack, RefusesOptionsThatDoNotFit) {
  const TestModel model(test_mixture(), NumberType::kFloat32);
  const auto message = [&](auto change) {
    LayerStackOptions options = whole();
    change(options);
    const auto loaded = load_layer_stack(model.folder(), options);
    return loaded ? std::string("loaded") : loaded.error().message;
  };
  EXPECT_THAT(message([](auto& o) { o.layers = {1, 4}; }), HasSubstr("layers 1 to 4"));
  EXPECT_THAT(message([](auto& o) { o.threads = 0; }), HasSubstr("0 threads"));
  EXPECT_THAT(message([](auto& o) { o.kv_positions = 0; }), HasSubstr("kv_positions"));
  EXPECT_THAT(message([](auto& o) { o.instructions = "mmx"; }), HasSubstr("portable"));
  EXPECT_THAT(message([](auto& o) { o.expert_cache_bytes = 100; }), HasSubstr("31104 bytes"));
}

TEST(LayerStack, PagedExpertsGiveTheSameBitsWithinTheirBytes) {
  const TestModel model(test_mixture(), NumberType::kFloat32);
  SeededRandom random(5);
  const auto tokens = random_tokens(random, 30);
  const auto expected = alone(model, tokens);
  const int64_t expert = 3 * 36 * 72 * 4;
  LayerStackOptions options = whole(2);
  options.expert_cache_bytes = 4 * expert;
  const auto paged = load(model, options);
  const auto all = load(model, whole());
  for (size_t p = 0; p < tokens.size(); ++p) {
    const auto result = paged->run(one_row(1, static_cast<int32_t>(p), tokens[p]));
    ASSERT_TRUE(result);
    EXPECT_EQ(by_token(result->choices.at(0)), expected[p]);
  }
  const ForwardStats stats = paged->stats();
  EXPECT_EQ(stats.expert_cache_hits + stats.expert_cache_misses, 30 * 3 * 2);
  EXPECT_GT(stats.expert_cache_misses, 4);
  EXPECT_EQ(stats.weight_bytes, all->stats().weight_bytes - (15 - 4) * expert);
  int64_t rows = 0;
  for (const auto& layer : stats.expert_rows) {
    for (const int64_t count : layer) rows += count;
  }
  EXPECT_EQ(rows, 30 * 3 * 2);
}

TEST(LayerStack, WritesWhereRowsWere) {
  const TestModel model(test_mixture(), NumberType::kFloat32);
  LayerStackOptions options = whole();
  options.expert_routing_log = model.folder() + "/routing.jsonl";
  const auto stack = load(model, options);
  ASSERT_TRUE(stack->run(one_row(42, 0)));
  const auto text = real_file_system().read_file(options.expert_routing_log);
  ASSERT_TRUE(text);
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 3);
  EXPECT_THAT(*text, HasSubstr(R"({"sequence":42,"position":0,"layer":2,"experts":[)"));
}

TEST(LayerStack, SaysWhatItHoldsAndHowLongItTook) {
  const TestModel model(test_model(), NumberType::kBfloat16);
  LayerStackOptions options = whole();
  options.layers = {1, 3};
  const auto stack = load(model, options);
  EXPECT_EQ(stack->layers(), (LayerRange{1, 3}));
  EXPECT_THAT(stack->kernel(), HasSubstr("/bfloat16"));
  EXPECT_TRUE(stack->exact());
  Step step;
  step.slices = {{1, 0, 2, {}}};
  step.hidden.assign(144, 0.5F);
  ASSERT_TRUE(stack->run(step));
  EXPECT_EQ(stack->stats().layer_seconds.size(), 2u);
  EXPECT_GT(stack->stats().layer_seconds[1], 0);
  // Two layers, final norm and head.
  const int64_t layer = 2 * 72 + 72 * 200 * 2 + 72 * 40 * 2 + 3 * 72 * 100;
  EXPECT_EQ(stack->stats().weight_bytes, 2 * (2 * layer + 72 + 72 * 20));
}

}  // namespace
}  // namespace binnacle::engine
