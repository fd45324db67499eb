#include "engine/model/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json_parse.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

constexpr std::string_view kPairKey = "binnacle_pair";
constexpr int32_t kMaxEndTokens = 64;

enum class Family : uint8_t { kLlama, kMistral, kQwen2, kQwen2Moe, kMixtral };

struct FamilyName {
  std::string_view architecture;
  std::string_view model_type;
  Family family;
};

constexpr std::array kFamilies = {
    FamilyName{"LlamaForCausalLM", "llama", Family::kLlama},
    FamilyName{"MistralForCausalLM", "mistral", Family::kMistral},
    FamilyName{"Qwen2ForCausalLM", "qwen2", Family::kQwen2},
    FamilyName{"Qwen2MoeForCausalLM", "qwen2_moe", Family::kQwen2Moe},
    FamilyName{"MixtralForCausalLM", "mixtral", Family::kMixtral},
};

// Reads keys of one object; the first problem stays, and every error names file and key.
class Keys {
 public:
  Keys(const json& object, std::string file) : object_(object), file_(std::move(file)) {}

  // Null counts as absent, as their writers mean it.
  const json* find(std::string_view key) const {
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  int32_t integer(std::string_view key, std::optional<int32_t> otherwise = std::nullopt) {
    const json* const value = find(key);
    if (value == nullptr) {
      if (!otherwise) refuse(fmt::format("{} is missing", key));
      return otherwise.value_or(0);
    }
    return to_integer(key, *value);
  }

  int32_t to_integer(std::string_view key, const json& value) {
    constexpr auto kMax = std::numeric_limits<int32_t>::max();
    if (value.is_number_unsigned() && value.get<uint64_t>() <= kMax) return value.get<int32_t>();
    if (value.is_number_integer() && value.get<int64_t>() == -1) return -1;
    refuse(fmt::format("{} is {}: must be a whole number from 0 to {}", key, shown(value), kMax));
    return 0;
  }

  float number(std::string_view key, float otherwise) {
    const json* const value = find(key);
    if (value == nullptr) return otherwise;
    constexpr double kMax = std::numeric_limits<float>::max();
    if (value->is_number() && std::abs(value->get<double>()) <= kMax) return value->get<float>();
    refuse(fmt::format("{} is {}: must be a number of 32 bits", key, shown(*value)));
    return otherwise;
  }

  bool flag(std::string_view key, bool otherwise) {
    const json* const value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_boolean()) return value->get<bool>();
    refuse(fmt::format("{} is {}: must be true or false", key, shown(*value)));
    return otherwise;
  }

  std::string text(std::string_view key, std::string otherwise) {
    const json* const value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_string()) return value->get<std::string>();
    refuse(fmt::format("{} is {}: must be a string", key, shown(*value)));
    return otherwise;
  }

  void refuse(std::string why, Code code = Code::kInvalidArgument) {
    if (problem_.has_value()) return;
    problem_ = Error{code, fmt::format("{}: {}", file_, why)};
  }
  // For what the file may rightly say and this engine cannot do.
  void unsupported(std::string what) {
    refuse(fmt::format("{} is not supported", what), Code::kUnimplemented);
  }

  Status status() const { return problem_ ? Status(fail(*problem_)) : Status(); }

  // A list or an object is not printed: it may be as deep as its file is long.
  static std::string shown(const json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list";
    constexpr size_t kShownBytes = 60;
    std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
    return text;
  }

 private:
  const json& object_;
  const std::string file_;
  std::optional<Error> problem_;
};

Result<json> parse_object(std::string_view text, const std::string& file) {
  if (text.size() > kMaxConfigJsonBytes) {
    return fail(Code::kInvalidArgument, fmt::format("{}: has {} bytes, more than {}", file,
                                                    text.size(), kMaxConfigJsonBytes));
  }
  json parsed = parse_json(text);
  if (parsed.is_discarded()) return fail(Code::kInvalidArgument, file + ": is not valid JSON");
  if (!parsed.is_object()) return fail(Code::kInvalidArgument, file + ": is not a JSON object");
  return parsed;
}

std::string known_architectures() {
  std::string all;
  for (const FamilyName& known : kFamilies) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", known.architecture);
  }
  return all;
}

Family read_family(Keys& keys, ModelConfig& config) {
  std::string name;
  if (const json* const list = keys.find("architectures"); list != nullptr) {
    if (list->is_array() && list->size() == 1 && (*list)[0].is_string()) {
      name = (*list)[0].get<std::string>();
    } else {
      keys.refuse("architectures must be a list of one name");
    }
  }
  const std::string type = name.empty() ? keys.text("model_type", "") : "";
  for (const FamilyName& known : kFamilies) {
    if (name == known.architecture || (name.empty() && type == known.model_type)) {
      config.architecture = known.architecture;
      return known.family;
    }
  }
  if (name.empty() && type.empty()) keys.refuse("architectures is missing");
  if (name.starts_with("Qwen3") || type.starts_with("qwen3")) {
    keys.unsupported(fmt::format("architecture \"{}\", which normalizes queries and keys,",
                                 name.empty() ? type : name));
  }
  keys.unsupported(fmt::format("architecture \"{}\" (known: {})", name.empty() ? type : name,
                               known_architectures()));
  return Family::kLlama;
}

// `rope_scaling` of most files, `rope_parameters` of newer ones; "default" scales nothing.
void read_rope(Keys& keys, ModelConfig& config) {
  config.rope_theta = keys.number("rope_theta", config.rope_theta);
  for (const std::string_view key : {"rope_scaling", "rope_parameters"}) {
    const json* const value = keys.find(key);
    if (value == nullptr) continue;
    if (!value->is_object()) {
      keys.refuse(fmt::format("{} is {}: must be an object", key, Keys::shown(*value)));
      return;
    }
    Keys inner(*value, std::string(key));
    const std::string type = inner.text("rope_type", inner.text("type", "default"));
    if (type != "default") {
      inner.unsupported(fmt::format("type \"{}\" of rotary embedding", type));
    }
    config.rope_theta = inner.number("rope_theta", config.rope_theta);
    if (auto read = inner.status(); !read) keys.refuse(read.error().message, read.error().code);
  }
  if (keys.number("partial_rotary_factor", 1) != 1) {
    keys.unsupported("partial_rotary_factor other than 1");
  }
}

void limit_positions(ModelConfig& config, int32_t window) {
  if (window > 0) config.max_positions = std::min(config.max_positions, window);
}

// Within its window a sliding attention sees what a full one sees, so that the window becomes the
// largest context and nothing is computed otherwise than it was trained.
void read_window(Keys& keys, Family family, ModelConfig& config) {
  const bool qwen = family == Family::kQwen2 || family == Family::kQwen2Moe;
  const int32_t window = keys.integer("sliding_window", 0);
  bool used = keys.flag("use_sliding_window", !qwen);
  if (const json* const types = keys.find("layer_types"); types != nullptr) {
    used = false;
    if (!types->is_array()) keys.refuse("layer_types: must be a list");
    for (const json& type : *types) {
      if (type == "full_attention") continue;
      if (type == "sliding_attention") {
        used = true;
      } else {
        keys.unsupported(fmt::format("layer type {}", Keys::shown(type)));
      }
    }
    if (used && window <= 0) keys.refuse("layer_types slide, but sliding_window is missing");
  }
  if (used) limit_positions(config, window);
}

void refuse_what_we_lack(Keys& keys, Family family) {
  const std::string activation = keys.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish") {
    keys.unsupported(fmt::format("hidden_act \"{}\" (known: silu)", activation));
  }
  if (const json* const quantized = keys.find("quantization_config"); quantized != nullptr) {
    const auto method = quantized->is_object() ? quantized->find("quant_method") : quantized->end();
    const bool named = method != quantized->end() && method->is_string();
    keys.unsupported(
        fmt::format("quantization ({})", named ? method->get<std::string>() : "unnamed"));
  }
  if (keys.flag("mlp_bias", false)) keys.unsupported("mlp_bias");
  const bool llama = family == Family::kLlama || family == Family::kMistral;
  if (llama && keys.flag("attention_bias", false)) {
    keys.unsupported("attention_bias with a bias of o_proj");
  }
  const std::string type = keys.text("torch_dtype", keys.text("dtype", "float32"));
  if (type != "float32" && type != "bfloat16") {
    keys.unsupported(
        fmt::format("number type \"{}\" (known: float32, bfloat16; convert the "
                    "weights to bfloat16)",
                    type));
  }
}

void read_experts(Keys& keys, Family family, ModelConfig& config) {
  config.load_balance_loss_weight =
      keys.number("router_aux_loss_coef", config.load_balance_loss_weight);
  config.z_loss_weight = keys.number("router_z_loss_coef", config.z_loss_weight);
  if (family == Family::kMixtral) {
    config.experts = keys.integer("num_local_experts");
    config.experts_per_token = keys.integer("num_experts_per_tok");
    config.expert_ffn = config.ffn;
  } else if (family == Family::kQwen2Moe) {
    config.experts = keys.integer("num_experts");
    config.experts_per_token = keys.integer("num_experts_per_tok");
    config.expert_ffn = keys.integer("moe_intermediate_size");
    config.shared_expert_ffn = keys.integer("shared_expert_intermediate_size", 0);
    config.normalize_expert_weights = keys.flag("norm_topk_prob", false);
    if (keys.integer("decoder_sparse_step", 1) != 1) {
      keys.unsupported("decoder_sparse_step other than 1 (dense layers among those with experts)");
    }
    const json* const dense = keys.find("mlp_only_layers");
    if (dense != nullptr && !dense->empty()) {
      keys.unsupported("mlp_only_layers (dense layers among those with experts)");
    }
  } else {
    return;
  }
  if (config.experts == 0) keys.refuse("the number of experts is 0");
  config.ffn = 0;
}

std::vector<int32_t> read_end_tokens(Keys& keys) {
  std::vector<int32_t> tokens;
  const json* const value = keys.find("eos_token_id");
  if (value == nullptr) return tokens;
  if (!value->is_array()) {
    const int32_t token = keys.to_integer("eos_token_id", *value);
    if (token >= 0) tokens.push_back(token);
    return tokens;
  }
  if (value->size() > kMaxEndTokens) {
    keys.refuse(
        fmt::format("eos_token_id lists {} tokens: at most {}", value->size(), kMaxEndTokens));
    return tokens;
  }
  for (const json& token : *value) tokens.push_back(keys.to_integer("eos_token_id", token));
  return tokens;
}

void read_shape(Keys& keys, ModelConfig& config) {
  config.name = keys.text("model_name", "");
  config.layers = keys.integer("num_hidden_layers");
  config.hidden = keys.integer("hidden_size");
  config.heads = keys.integer("num_attention_heads");
  config.kv_heads = keys.integer("num_key_value_heads", config.heads);
  config.head_size = keys.integer("head_dim", config.heads > 0 ? config.hidden / config.heads : 0);
  config.ffn = keys.integer("intermediate_size");
  config.vocabulary = keys.integer("vocab_size");
  config.max_positions = keys.integer("max_position_embeddings");
  config.rms_epsilon = keys.number("rms_norm_eps", 1e-6F);
  config.tied_embeddings = keys.flag("tie_word_embeddings", false);
  config.end_tokens = read_end_tokens(keys);
  config.chat_family = keys.text("chat_family", "");
}

// A float as the shortest text that reads back the same: 1e-05, not 9.99999974e-06.
double plain(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

bool fits(const ModelConfig& config, Family family) {
  const bool dense = config.experts == 0;
  switch (family) {
    case Family::kLlama:
    case Family::kMistral:
      return dense && !config.attention_bias;
    case Family::kQwen2:
      return dense && config.attention_bias;
    case Family::kMixtral:
      return !dense && !config.attention_bias && config.shared_expert_ffn == 0 &&
             config.normalize_expert_weights;
    case Family::kQwen2Moe:
      return !dense;
  }
  return false;
}

void add_experts(json& out, const ModelConfig& config, bool mixtral) {
  out["num_experts_per_tok"] = config.experts_per_token;
  out["router_aux_loss_coef"] = plain(config.load_balance_loss_weight);
  out["router_z_loss_coef"] = plain(config.z_loss_weight);
  if (mixtral) {
    out["num_local_experts"] = config.experts;
    out["intermediate_size"] = config.expert_ffn;
    return;
  }
  out["num_experts"] = config.experts;
  out["intermediate_size"] = config.expert_ffn;  // asked for by readers; no layer is dense
  out["moe_intermediate_size"] = config.expert_ffn;
  out["shared_expert_intermediate_size"] = config.shared_expert_ffn;
  out["norm_topk_prob"] = config.normalize_expert_weights;
  out["decoder_sparse_step"] = 1;
  out["qkv_bias"] = config.attention_bias;
}

const FamilyName& family_named(std::string_view architecture) {
  const auto* const found = std::ranges::find(kFamilies, architecture, &FamilyName::architecture);
  return found == kFamilies.end() ? kFamilies.front() : *found;
}

}  // namespace

Result<ModelConfig> parse_config_json(std::string_view text, const std::string& file) {
  TRY_ASSIGN(const json object, parse_object(text, file));
  Keys keys(object, file);
  ModelConfig config;
  const Family family = read_family(keys, config);
  TRY(keys.status());
  refuse_what_we_lack(keys, family);
  read_shape(keys, config);
  read_rope(keys, config);
  read_window(keys, family, config);
  read_experts(keys, family, config);
  config.attention_bias =
      family == Family::kQwen2 || (family == Family::kQwen2Moe && keys.flag("qkv_bias", true));
  // Qwen names a begin token that its tokenizer never puts before a text.
  const bool begins = family != Family::kQwen2 && family != Family::kQwen2Moe;
  const int32_t begin = keys.integer("bos_token_id", -1);
  if (begins || keys.flag("add_bos_token", false)) config.begin_token = begin;
  TRY(keys.status());
  if (auto checked = check_model_config(config); !checked) {
    return fail(std::move(checked).error().with_context(file));
  }
  return config;
}

Result<std::vector<int32_t>> parse_generation_end_tokens(std::string_view text,
                                                         const std::string& file) {
  TRY_ASSIGN(const json object, parse_object(text, file));
  Keys keys(object, file);
  std::vector<int32_t> tokens = read_end_tokens(keys);
  TRY(keys.status());
  return tokens;
}

std::string architecture_for(const ModelConfig& config) {
  const auto* const named =
      std::ranges::find(kFamilies, config.architecture, &FamilyName::architecture);
  if (named != kFamilies.end() && fits(config, named->family)) return config.architecture;
  for (const Family family :
       {Family::kLlama, Family::kQwen2, Family::kMixtral, Family::kQwen2Moe}) {
    if (!fits(config, family)) continue;
    return std::string(std::ranges::find(kFamilies, family, &FamilyName::family)->architecture);
  }
  return config.architecture;
}

std::string config_json(const ModelConfig& config, NumberType type, std::string_view pair) {
  const FamilyName& family = family_named(architecture_for(config));
  json out = {{"architectures", {family.architecture}},
              {"model_type", family.model_type},
              {"num_hidden_layers", config.layers},
              {"hidden_size", config.hidden},
              {"num_attention_heads", config.heads},
              {"num_key_value_heads", config.kv_heads},
              {"head_dim", config.head_size},
              {"vocab_size", config.vocabulary},
              {"max_position_embeddings", config.max_positions},
              {"rms_norm_eps", plain(config.rms_epsilon)},
              {"rope_theta", plain(config.rope_theta)},
              {"tie_word_embeddings", config.tied_embeddings},
              {"hidden_act", "silu"},
              {"torch_dtype", type == NumberType::kBfloat16 ? "bfloat16" : "float32"}};
  if (config.experts > 0) {
    add_experts(out, config, family.family == Family::kMixtral);
  } else {
    out["intermediate_size"] = config.ffn;
  }
  const bool qwen = family.family == Family::kQwen2 || family.family == Family::kQwen2Moe;
  if (config.begin_token >= 0) out["bos_token_id"] = config.begin_token;
  if (config.begin_token >= 0 && qwen) out["add_bos_token"] = true;
  if (!qwen) out["sliding_window"] = nullptr;  // Mistral's readers take 4,096 for a missing one
  if (config.end_tokens.size() == 1) out["eos_token_id"] = config.end_tokens[0];
  if (config.end_tokens.size() > 1) out["eos_token_id"] = config.end_tokens;
  if (!config.name.empty()) out["model_name"] = config.name;
  if (!config.chat_family.empty()) out["chat_family"] = config.chat_family;
  if (!pair.empty()) out[std::string(kPairKey)] = pair;
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string config_json_pair(std::string_view text) {
  const json parsed = parse_json(text);
  if (!parsed.is_object()) return "";
  const auto at = parsed.find(kPairKey);
  return at != parsed.end() && at->is_string() ? at->get<std::string>() : "";
}

}  // namespace binnacle::engine
