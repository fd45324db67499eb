#include "engine/model/model_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/fault_file_system.h"
#include "engine/model/config_json.h"
#include "engine/model/model_tensors.h"

namespace binnacle::engine {
namespace {

using testing::HasSubstr;

ModelConfig small_config() {
  ModelConfig config;
  config.layers = 2;
  config.hidden = 8;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_size = 4;
  config.ffn = 12;
  config.vocabulary = 10;
  config.max_positions = 64;
  config.end_tokens = {9};
  return config;
}

ModelConfig moe_config() {
  ModelConfig config = small_config();
  config.ffn = 0;
  config.experts = 3;
  config.experts_per_token = 2;
  config.expert_ffn = 6;
  return config;
}

std::vector<NamedTensor> counted_tensors(const ModelConfig& config, float first = 0) {
  std::vector<NamedTensor> out;
  for (const ModelTensor& tensor : model_tensors(config)) {
    size_t count = 1;
    for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
    NamedTensor named{tensor.name, tensor.shape, std::vector<float>(count)};
    for (float& value : named.values) value = first++;
    out.push_back(std::move(named));
  }
  return out;
}

std::vector<float> floats_of(const TensorView& view) {
  std::vector<float> out(view.bytes.size() / sizeof(float));
  std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
  return out;
}

std::string message_of(const auto& result) { return result ? "" : result.error().message; }

TEST(ModelFolder, GivesBackWhatWasWritten) {
  for (const ModelConfig& config : {small_config(), moe_config()}) {
    FaultFileSystem files;
    const auto tensors = counted_tensors(config);
    ASSERT_TRUE(write_model_folder("/m", config, NumberType::kFloat32, tensors, files));
    const auto folder = ModelFolder::open("/m", files);
    ASSERT_TRUE(folder) << message_of(folder);
    EXPECT_EQ((*folder)->config().name, "m");
    EXPECT_EQ((*folder)->config().parameters(), config.parameters());
    int64_t values = 0;
    for (const NamedTensor& tensor : tensors) {
      const auto view = (*folder)->tensor(tensor.name);
      ASSERT_TRUE(view) << message_of(view);
      EXPECT_EQ(view->shape, tensor.shape);
      EXPECT_EQ(floats_of(*view), tensor.values) << tensor.name;
      values += static_cast<int64_t>(tensor.values.size());
    }
    EXPECT_EQ(values, config.parameters());
    EXPECT_EQ((*folder)->tensor("layer.7.q").error().code, Code::kNotFound);
  }
}

TEST(ModelFolder, TiedHeadIsTheEmbedding) {
  FaultFileSystem files;
  ModelConfig config = small_config();
  config.tied_embeddings = true;
  ASSERT_TRUE(
      write_model_folder("/m", config, NumberType::kFloat32, counted_tensors(config), files));
  const auto folder = ModelFolder::open("/m", files);
  ASSERT_TRUE(folder) << message_of(folder);
  EXPECT_EQ((*folder)->tensor("head")->bytes.data(), (*folder)->tensor("embed")->bytes.data());
}

TEST(ModelFolder, HashTellsLayersApart) {
  FaultFileSystem files;
  const ModelConfig config = small_config();
  auto tensors = counted_tensors(config);
  ASSERT_TRUE(write_model_folder("/a", config, NumberType::kFloat32, tensors, files));
  for (NamedTensor& tensor : tensors) {
    if (tensor.name == "layer.1.up") tensor.values[3] += 1;
  }
  ModelConfig renamed = config;
  renamed.name = "other";
  ASSERT_TRUE(write_model_folder("/b", renamed, NumberType::kFloat32, tensors, files));
  const auto a = *ModelFolder::open("/a", files);
  const auto b = *ModelFolder::open("/b", files);
  EXPECT_EQ(a->hash({0, 1}), b->hash({0, 1}));
  EXPECT_NE(a->hash({1, 2}), b->hash({1, 2}));
  EXPECT_NE(a->hash({0, 2}), b->hash({0, 2}));
  EXPECT_EQ(a->hash({1, 2}), a->hash({1, 2}));
}

TEST(ModelFolder, RandomModelHasItsScaleAndNoDenormal) {
  FaultFileSystem files;
  ModelConfig config = small_config();
  config.hidden = 64;
  config.ffn = 256;
  ASSERT_TRUE(write_random_model("/m", config, NumberType::kFloat32, 7, {}, files));
  const auto folder = *ModelFolder::open("/m", files);
  const auto deviation = [&](const char* name) {
    double squares = 0;
    const auto values = floats_of(*folder->tensor(name));
    for (const float value : values) {
      EXPECT_NE(std::fpclassify(value), FP_SUBNORMAL);
      squares += static_cast<double>(value) * value;
    }
    return std::sqrt(squares / static_cast<double>(values.size()));
  };
  EXPECT_NEAR(deviation("layer.0.up"), 0.02, 0.001);
  EXPECT_NEAR(deviation("layer.1.down"), 0.01, 0.0005);  // sqrt(2 * 2 layers) less
  EXPECT_NEAR(deviation("norm"), 1, 0);
}

TEST(ModelFolder, SameSeedSameBytes) {
  FaultFileSystem files;
  const ModelConfig config = moe_config();
  ASSERT_TRUE(write_random_model("/a", config, NumberType::kBfloat16, 7, {}, files));
  ASSERT_TRUE(write_random_model("/b", config, NumberType::kBfloat16, 7, {}, files));
  ASSERT_TRUE(write_random_model("/c", config, NumberType::kBfloat16, 8, {}, files));
  const auto a = *ModelFolder::open("/a", files);
  EXPECT_EQ(a->number_type(), NumberType::kBfloat16);
  EXPECT_EQ(a->hash({0, 2}), (*ModelFolder::open("/b", files))->hash({0, 2}));
  EXPECT_NE(a->hash({0, 2}), (*ModelFolder::open("/c", files))->hash({0, 2}));
}

}  // namespace
}  // namespace binnacle::engine
