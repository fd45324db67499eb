// What a model is made of: the shape that config.json of a model folder gives. Llama-shaped
// decoders (RMSNorm, rotary embedding, grouped-query attention, SwiGLU), dense or with a top-k
// mixture of experts. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace binnacle::engine {

enum class NumberType : uint8_t { kFloat32, kBfloat16 };

struct ModelConfig {
  std::string name;          // model_name of config.json, or the folder's
  std::string architecture;  // "LlamaForCausalLM", "MixtralForCausalLM", ...
  int32_t layers = 0;
  int32_t hidden = 0;
  int32_t heads = 0;
  int32_t kv_heads = 0;  // divides heads
  int32_t head_size = 0;
  int32_t ffn = 0;  // of a dense layer
  int32_t vocabulary = 0;
  int32_t max_positions = 0;
  float rms_epsilon = 1e-5F;
  float rope_theta = 10'000;
  bool tied_embeddings = false;
  bool attention_bias = false;  // of q, k and v, as Qwen2 has

  int32_t experts = 0;  // 0: dense
  int32_t experts_per_token = 0;
  int32_t expert_ffn = 0;
  int32_t shared_expert_ffn = 0;           // 0: none; Qwen2-MoE has one, behind a gate
  bool normalize_expert_weights = true;    // the chosen experts' weights add up to 1
  float load_balance_loss_weight = 0.01F;  // training only
  float z_loss_weight = 0.001F;            // training only

  std::vector<int32_t> end_tokens;  // generation stops here
  int32_t begin_token = -1;         // put before a prompt; -1: none
  std::string chat_family;          // of tokenizer.h's chat_prompt(); "": its special tokens tell

  int64_t parameters() const;
  int64_t parameters_of_layer() const;
};

// kInvalidArgument that names the value and its bounds, by its name in config.json. What passes
// makes no count of numbers or bytes overflow.
Status check_model_config(const ModelConfig& config);

// Layers begin <= i < end. Who has layer 0 embeds tokens; who has the last one ends with the norm
// and the head.
struct LayerRange {
  int32_t begin = 0;
  int32_t end = 0;
  int32_t size() const { return end - begin; }
  bool operator==(const LayerRange&) const = default;
};

}  // namespace binnacle::engine
