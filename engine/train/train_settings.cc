#include "engine/train/train_settings.h"

#include <fmt/format.h>

#include "engine/model/tokenizer.h"

namespace binnacle::engine {
namespace {

ModelConfig byte_model(std::string name, int32_t hidden, int32_t layers, int32_t experts) {
  ModelConfig c;
  c.name = std::move(name);
  c.architecture = experts > 0 ? "MixtralForCausalLM" : "LlamaForCausalLM";
  c.layers = layers;
  c.hidden = hidden;
  c.head_size = 32;
  c.heads = hidden / c.head_size;
  c.kv_heads = c.heads / 2;
  c.ffn = 3 * hidden;
  c.vocabulary = kByteVocabulary;
  c.max_positions = 2048;
  c.experts = experts;
  c.experts_per_token = experts > 0 ? 2 : 0;
  c.expert_ffn = 2 * hidden;
  c.end_tokens = {kByteEnd};
  c.begin_token = kByteBegin;
  return c;
}

Status in_range(const char* name, double value, double least, double most) {
  if (value >= least && value <= most) return {};
  return fail(Code::kOutOfRange,
              fmt::format("{} must be between {} and {} ({})", name, least, most, value));
}

}  // namespace

Result<ModelConfig> preset_model(std::string_view name) {
  if (name == "tiny") return byte_model("tiny", 64, 2, 4);
  if (name == "demo") return byte_model("demo", 128, 4, 4);
  if (name == "small") return byte_model("small", 256, 6, 8);
  return fail(Code::kInvalidArgument,
              fmt::format("no preset is called {}: there are tiny, demo and small", name));
}

Status check_settings(const TrainSettings& s) {
  TRY(check_trainable(s.shape.config));
  TRY(in_range("rows", static_cast<double>(s.rows), 1, 65'536));
  TRY(in_range("length", static_cast<double>(s.length), 2, s.shape.config.max_positions));
  TRY(in_range("steps", static_cast<double>(s.steps), 1, 1e12));
  TRY(in_range("checkpoint-every", static_cast<double>(s.checkpoint_every), 1, 1e9));
  TRY(in_range("keep", static_cast<double>(s.checkpoints_kept), 1, 1'000));
  TRY(in_range("validate-every", static_cast<double>(s.validate_every), 0, 1e9));
  TRY(in_range("learning-rate", s.optimizer.learning_rate, 0, 10));
  TRY(in_range("warm-up", static_cast<double>(s.optimizer.warm_up_steps), 0, 1e9));
  TRY(in_range("clip", s.optimizer.clip_norm, 1e-6, 1e6));
  TRY(in_range("weight-decay", s.optimizer.weight_decay, 0, 10));
  TRY(in_range("capacity-factor", s.shape.capacity_factor, 0, 1e3));
  TRY(in_range("ranks", s.ranks, 1, 64));
  return in_range("rank", s.rank, 0, s.ranks - 1);
}

double training_flops_per_token(const TrainSettings& s) {
  const ModelConfig& c = s.shape.config;
  const double hidden = c.hidden;
  const double q = static_cast<double>(c.heads) * c.head_size;
  const double kv = static_cast<double>(c.kv_heads) * c.head_size;
  const double ffn = c.experts > 0 ? static_cast<double>(c.experts_per_token) * c.expert_ffn
                                   : static_cast<double>(c.ffn);
  const double met_in_layer = hidden * (2 * q + 2 * kv + 3 * ffn + c.experts);
  const double met = c.layers * met_in_layer + hidden * c.vocabulary;
  return 6 * met + 12 * c.layers * q * static_cast<double>(s.length);
}

}  // namespace binnacle::engine
