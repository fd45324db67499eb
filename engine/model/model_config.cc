#include "engine/model/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace binnacle::engine {
namespace {

constexpr int64_t kMaxExperts = 1 << 16;  // of all layers together: each has three tensors

struct Bound {
  std::string_view name;
  int64_t value;
  int64_t min;
  int64_t max;
};

Status check_bounds(const ModelConfig& c) {
  const int32_t experts_min = c.experts > 0 ? 1 : 0;
  const std::array bounds = {
      Bound{"num_hidden_layers", c.layers, 1, 1024},
      Bound{"hidden_size", c.hidden, 1, 1 << 17},
      Bound{"num_attention_heads", c.heads, 1, 1024},
      Bound{"num_key_value_heads", c.kv_heads, 1, c.heads},
      Bound{"head_dim", c.head_size, 2, 1024},
      Bound{"intermediate_size", c.ffn, c.experts > 0 ? 0 : 1, 1 << 20},
      Bound{"vocab_size", c.vocabulary, 2, 1 << 22},
      Bound{"max_position_embeddings", c.max_positions, 1, 1 << 24},
      Bound{"num_experts", c.experts, 0, kMaxExperts / std::max(c.layers, 1)},
      Bound{"num_experts_per_tok", c.experts_per_token, experts_min, c.experts},
      Bound{"moe_intermediate_size", c.expert_ffn, experts_min, 1 << 20},
      Bound{"shared_expert_intermediate_size", c.shared_expert_ffn, 0, c.experts > 0 ? 1 << 20 : 0},
      Bound{"bos_token_id", c.begin_token, -1, c.vocabulary - 1},
  };
  for (const Bound& bound : bounds) {
    if (bound.value >= bound.min && bound.value <= bound.max) continue;
    return fail(Code::kInvalidArgument, fmt::format("{} is {}: must be {} to {}", bound.name,
                                                    bound.value, bound.min, bound.max));
  }
  return {};
}

}  // namespace

Status check_model_config(const ModelConfig& c) {
  TRY(check_bounds(c));
  const auto invalid = [](std::string message) {
    return fail(Code::kInvalidArgument, std::move(message));
  };
  if (c.heads % c.kv_heads != 0) {
    return invalid(fmt::format("num_key_value_heads is {}: must divide num_attention_heads ({})",
                               c.kv_heads, c.heads));
  }
  if (c.head_size % 2 != 0) {
    return invalid(
        fmt::format("head_dim is {}: must be even, its numbers turn in pairs", c.head_size));
  }
  if (!(c.rms_epsilon > 0 && c.rms_epsilon < 1)) {
    return invalid(fmt::format("rms_norm_eps is {}: must be above 0 and below 1", c.rms_epsilon));
  }
  if (!(c.rope_theta >= 1) || !std::isfinite(c.rope_theta)) {
    return invalid(fmt::format("rope_theta is {}: must be 1 or more", c.rope_theta));
  }
  for (const int32_t token : c.end_tokens) {
    if (token >= 0 && token < c.vocabulary) continue;
    return invalid(fmt::format("eos_token_id holds {}: must be 0 to {}", token, c.vocabulary - 1));
  }
  return {};
}

int64_t ModelConfig::parameters_of_layer() const {
  const int64_t h = hidden;
  const int64_t q_rows = int64_t{heads} * head_size;
  const int64_t kv_rows = int64_t{kv_heads} * head_size;
  int64_t count = 2 * h + 2 * h * q_rows + 2 * h * kv_rows;
  if (attention_bias) count += q_rows + 2 * kv_rows;
  if (experts == 0) return count + 3 * h * ffn;
  count += experts * h + 3 * h * expert_ffn * experts;
  if (shared_expert_ffn > 0) count += 3 * h * shared_expert_ffn + h;
  return count;
}

int64_t ModelConfig::parameters() const {
  const int64_t embedding = int64_t{vocabulary} * hidden;
  return layers * parameters_of_layer() + hidden + embedding * (tied_embeddings ? 1 : 2);
}

}  // namespace binnacle::engine
