#include "engine/model/model_tensors.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "engine/model/config_json.h"

namespace binnacle::engine {
namespace {

// The tensors of one layer under both prefixes.
class LayerTensors {
 public:
  LayerTensors(const ModelConfig& config, int32_t layer, std::vector<ModelTensor>& out)
      : config_(config),
        layer_(layer),
        ours_(fmt::format("layer.{}.", layer)),
        theirs_(fmt::format("model.layers.{}.", layer)),
        mixtral_(architecture_for(config) == "MixtralForCausalLM"),
        out_(out) {}

  void attention() {
    const int64_t hidden = config_.hidden;
    const int64_t q_rows = int64_t{config_.heads} * config_.head_size;
    const int64_t kv_rows = int64_t{config_.kv_heads} * config_.head_size;
    add("attention_norm", "input_layernorm.weight", {hidden});
    for (const char part : {'q', 'k', 'v'}) {
      const int64_t rows = part == 'q' ? q_rows : kv_rows;
      const std::string theirs = fmt::format("self_attn.{}_proj", part);
      add(std::string(1, part), theirs + ".weight", {rows, hidden});
      if (config_.attention_bias) add(fmt::format("{}.bias", part), theirs + ".bias", {rows});
    }
    add("o", "self_attn.o_proj.weight", {hidden, q_rows});
    add("ffn_norm", "post_attention_layernorm.weight", {hidden});
  }

  void feed_forward() {
    if (config_.experts == 0) return triple("", "mlp.", config_.ffn);
    const std::string block = mixtral_ ? "block_sparse_moe." : "mlp.";
    add("router", block + "gate.weight", {config_.experts, config_.hidden});
    for (int32_t expert = 0; expert < config_.experts; ++expert) {
      triple(fmt::format("expert.{}.", expert), fmt::format("{}experts.{}.", block, expert),
             config_.expert_ffn);
    }
    if (config_.shared_expert_ffn == 0) return;
    triple("shared.", "mlp.shared_expert.", config_.shared_expert_ffn);
    add("shared.router", "mlp.shared_expert_gate.weight", {1, config_.hidden});
  }

 private:
  void triple(const std::string& ours, const std::string& theirs, int64_t rows) {
    const int64_t hidden = config_.hidden;
    add(ours + "gate", theirs + (mixtral_ ? "w1.weight" : "gate_proj.weight"), {rows, hidden});
    add(ours + "up", theirs + (mixtral_ ? "w3.weight" : "up_proj.weight"), {rows, hidden});
    add(ours + "down", theirs + (mixtral_ ? "w2.weight" : "down_proj.weight"), {hidden, rows});
  }

  void add(const std::string& ours, const std::string& theirs, std::vector<int64_t> shape) {
    out_.push_back({ours_ + ours, theirs_ + theirs, std::move(shape), layer_});
  }

  const ModelConfig& config_;
  const int32_t layer_;
  const std::string ours_;
  const std::string theirs_;
  const bool mixtral_;
  std::vector<ModelTensor>& out_;
};

}  // namespace

std::vector<ModelTensor> model_tensors(const ModelConfig& config) {
  std::vector<ModelTensor> out;
  const std::vector<int64_t> table = {config.vocabulary, config.hidden};
  out.push_back({"embed", "model.embed_tokens.weight", table});
  for (int32_t layer = 0; layer < config.layers; ++layer) {
    LayerTensors tensors(config, layer, out);
    tensors.attention();
    tensors.feed_forward();
  }
  out.push_back({"norm", "model.norm.weight", {config.hidden}});
  if (!config.tied_embeddings) out.push_back({"head", "lm_head.weight", table});
  return out;
}

}  // namespace binnacle::engine
