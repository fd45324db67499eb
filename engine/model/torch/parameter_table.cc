#include "engine/model/torch/parameter_table.h"

#include <torch/torch.h>

#include <utility>

namespace binnacle::engine {
namespace {

constexpr int64_t kAlignment = 16;

std::string layer_name(int32_t layer, const std::string& what) {
  return "layer." + std::to_string(layer) + "." + what;
}

}  // namespace

ParameterTable::ParameterTable(const ModelConfig& config) {
  const int64_t hidden = config.hidden;
  const int64_t q_rows = int64_t{config.heads} * config.head_size;
  const int64_t kv_rows = int64_t{config.kv_heads} * config.head_size;
  add("embed", {config.vocabulary, hidden});
  for (int32_t i = 0; i < config.layers; ++i) {
    add(layer_name(i, "attention_norm"), {hidden});
    add(layer_name(i, "q"), {q_rows, hidden});
    add(layer_name(i, "k"), {kv_rows, hidden});
    add(layer_name(i, "v"), {kv_rows, hidden});
    add(layer_name(i, "o"), {hidden, q_rows});
    add(layer_name(i, "ffn_norm"), {hidden});
    if (config.experts == 0) {
      add(layer_name(i, "gate"), {config.ffn, hidden});
      add(layer_name(i, "up"), {config.ffn, hidden});
      add(layer_name(i, "down"), {hidden, config.ffn});
      continue;
    }
    add(layer_name(i, "router"), {config.experts, hidden});
    for (int32_t e = 0; e < config.experts; ++e) {
      const std::string expert = "expert." + std::to_string(e) + ".";
      add(layer_name(i, expert + "gate"), {config.expert_ffn, hidden});
      add(layer_name(i, expert + "up"), {config.expert_ffn, hidden});
      add(layer_name(i, expert + "down"), {hidden, config.expert_ffn});
    }
  }
  add("norm", {hidden});
  if (!config.tied_embeddings) add("head", {config.vocabulary, hidden});
  make_views();
}

void ParameterTable::add(std::string name, std::vector<int64_t> shape) {
  int64_t size = 1;
  for (const int64_t side : shape) size *= side;
  ranges_.push_back({std::move(name), std::move(shape), size_, size});
  size_ += (size + kAlignment - 1) / kAlignment * kAlignment;
}

void ParameterTable::make_views() {
  values_ = torch::zeros({size_}, torch::kFloat32);
  gradients_ = torch::zeros({size_}, torch::kFloat32);
  for (const ParameterRange& range : ranges_) {
    torch::Tensor view = torch::from_blob(values() + range.offset, range.shape).requires_grad_();
    view.mutable_grad() = gradients_.narrow(0, range.offset, range.size).view(range.shape);
    views_.emplace(range.name, std::move(view));
  }
}

const torch::Tensor& ParameterTable::at(const std::string& name) const { return views_.at(name); }

}  // namespace binnacle::engine
