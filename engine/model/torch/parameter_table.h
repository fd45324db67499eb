// The tensors of a model to train, as views into two flat arrays. Only for files with libtorch.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "engine/model/torch/torch_model.h"

namespace binnacle::engine {

class ParameterTable {
 public:
  // Each tensor begins at a multiple of 16 floats.
  explicit ParameterTable(const ModelConfig& config);

  // A leaf whose gradient is kept in the flat array.
  const torch::Tensor& at(const std::string& name) const;
  const std::vector<ParameterRange>& ranges() const { return ranges_; }
  int64_t size() const { return size_; }
  float* values() { return values_.data_ptr<float>(); }
  float* gradients() { return gradients_.data_ptr<float>(); }

 private:
  void add(std::string name, std::vector<int64_t> shape);
  void make_views();

  std::vector<ParameterRange> ranges_;
  std::map<std::string, torch::Tensor> views_;
  int64_t size_ = 0;
  torch::Tensor values_;
  torch::Tensor gradients_;
};

}  // namespace binnacle::engine
