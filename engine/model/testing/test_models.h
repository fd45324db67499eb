// Small models with odd sizes (no width is a multiple of sixteen) on disk, for tests.
#pragma once

#include <string>
#include <vector>

#include "engine/model/forward.h"
#include "engine/model/model_folder.h"

namespace binnacle::engine {

ModelConfig test_model();           // dense; 20 tokens, so that 20 logprobs are all of them
ModelConfig test_mixture();         // 5 experts, 2 a token
ModelConfig test_shared_mixture();  // as Qwen2-MoE: a shared expert, biases, weights not scaled

// Lies in a folder of its own until destroyed.
class TestModel {
 public:
  TestModel(const ModelConfig& config, NumberType type, uint64_t seed = 1);
  // One value of one tensor is another.
  TestModel(const ModelConfig& config, NumberType type, const std::string& tensor, float value);
  ~TestModel();
  TestModel(const TestModel&) = delete;
  TestModel& operator=(const TestModel&) = delete;

  const std::string& folder() const { return folder_; }

 private:
  void write(const ModelConfig& config, NumberType type, std::vector<NamedTensor> tensors);
  std::string folder_;
};

// Greedy, with the logprobs of all 20 tokens.
Sampling all_logprobs();

}  // namespace binnacle::engine
