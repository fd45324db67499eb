#include "engine/model/testing/test_models.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/model/model_tensors.h"

namespace binnacle::engine {
namespace {

std::vector<NamedTensor> random_tensors(const ModelConfig& config, uint64_t seed) {
  SeededRandom random(seed);
  std::vector<NamedTensor> tensors;
  for (const ModelTensor& tensor : model_tensors(config)) {
    size_t count = 1;
    for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
    // Rows that keep the size of what they are given, so that attention and routers are not flat.
    const bool is_norm = tensor.name.find("norm") != std::string::npos;
    const double spread = 3 / std::sqrt(static_cast<double>(tensor.shape.back()));
    NamedTensor named{tensor.name, tensor.shape, std::vector<float>(count)};
    for (float& value : named.values) {
      value = static_cast<float>(is_norm ? 0.5 + random.unit() : (random.unit() - 0.5) * spread);
    }
    tensors.push_back(std::move(named));
  }
  return tensors;
}

}  // namespace

ModelConfig test_model() {
  ModelConfig config;
  config.name = "test";
  config.architecture = "LlamaForCausalLM";
  config.layers = 3;
  config.hidden = 72;
  config.heads = 10;
  config.kv_heads = 2;
  config.head_size = 20;
  config.ffn = 100;
  config.vocabulary = 20;
  config.max_positions = 200;
  return config;
}

ModelConfig test_mixture() {
  ModelConfig config = test_model();
  config.architecture = "MixtralForCausalLM";
  config.ffn = 0;
  config.experts = 5;
  config.experts_per_token = 2;
  config.expert_ffn = 36;
  return config;
}

ModelConfig test_shared_mixture() {
  ModelConfig config = test_mixture();
  config.architecture = "Qwen2MoeForCausalLM";
  config.attention_bias = true;
  config.shared_expert_ffn = 24;
  config.normalize_expert_weights = false;
  config.tied_embeddings = true;
  return config;
}

TestModel::TestModel(const ModelConfig& config, NumberType type, uint64_t seed) {
  write(config, type, random_tensors(config, seed));
}

TestModel::TestModel(const ModelConfig& config, NumberType type, const std::string& tensor,
                     float value) {
  std::vector<NamedTensor> tensors = random_tensors(config, 1);
  for (NamedTensor& one : tensors) {
    if (one.name == tensor) one.values.at(one.values.size() / 2) = value;
  }
  write(config, type, std::move(tensors));
}

void TestModel::write(const ModelConfig& config, NumberType type,
                      std::vector<NamedTensor> tensors) {
  folder_ = testing::TempDir() + "binnacle-model-" + secure_random_hex(8);
  const Status made = real_file_system().create_directories(folder_);
  CHECK(made.has_value());
  const Status written = write_model_folder(folder_, config, type, tensors);
  if (!written) ADD_FAILURE() << written.error().message;
}

TestModel::~TestModel() { (void)real_file_system().remove_all(folder_); }

Sampling all_logprobs() {
  Sampling sampling;
  sampling.temperature = 0;
  sampling.top_logprobs = 20;
  return sampling;
}

}  // namespace binnacle::engine
