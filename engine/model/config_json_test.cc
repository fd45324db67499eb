#include "engine/model/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace binnacle::engine {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// As published with Llama 3 8B Instruct.
json llama3() {
  return json::parse(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": 128009, "hidden_act": "silu",
    "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
    "max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 32,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": null, "rope_theta": 500000.0, "tie_word_embeddings": false,
    "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 128256})");
}

json mixtral() {
  return json::parse(R"({"architectures": ["MixtralForCausalLM"], "bos_token_id": 1,
    "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
    "max_position_embeddings": 32768, "num_attention_heads": 32, "num_experts_per_tok": 2,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8,
    "output_router_logits": false, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0,
    "router_aux_loss_coef": 0.02, "sliding_window": null, "torch_dtype": "bfloat16",
    "vocab_size": 32000})");
}

// Qwen1.5-MoE-A2.7B.
json qwen_moe() {
  return json::parse(R"({"architectures": ["Qwen2MoeForCausalLM"], "bos_token_id": 151643,
    "decoder_sparse_step": 1, "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 2048,
    "intermediate_size": 5632, "max_position_embeddings": 8192, "max_window_layers": 21,
    "model_type": "qwen2_moe", "moe_intermediate_size": 1408, "norm_topk_prob": false,
    "num_attention_heads": 16, "num_experts": 60, "num_experts_per_tok": 4,
    "num_hidden_layers": 24, "num_key_value_heads": 16, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "shared_expert_intermediate_size": 5632, "sliding_window": 32768,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_sliding_window": false,
    "vocab_size": 151936})");
}

ModelConfig parsed(const json& file) {
  const auto config = parse_config_json(file.dump(), "c.json");
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config.value_or(ModelConfig{});
}

std::string refusal(json file, const char* key, json value) {
  file[key] = std::move(value);
  const auto config = parse_config_json(file.dump(), "c.json");
  return config ? "" : config.error().message;
}

// The counts are those that the models' makers give: 8.03, 46.7 and 14.3 thousand million.
TEST(ConfigJson, KnownModelsHaveTheirNumberOfParameters) {
  EXPECT_EQ(parsed(llama3()).parameters(), 8'030'261'248);
  EXPECT_EQ(parsed(mixtral()).parameters(), 46'702'792'704);
  EXPECT_EQ(parsed(qwen_moe()).parameters(), 14'315'784'192);
}

TEST(ConfigJson, ReadsWhatTheFamiliesSay) {
  const ModelConfig llama = parsed(llama3());
  EXPECT_EQ(llama.head_size, 128);
  EXPECT_EQ(llama.kv_heads, 8);
  EXPECT_EQ(llama.begin_token, 128000);
  EXPECT_THAT(llama.end_tokens, ElementsAre(128009));
  EXPECT_FLOAT_EQ(llama.rope_theta, 500'000);
  const ModelConfig moe = parsed(mixtral());
  EXPECT_EQ(moe.expert_ffn, 14336);
  EXPECT_EQ(moe.ffn, 0);
  EXPECT_TRUE(moe.normalize_expert_weights);
  const ModelConfig qwen = parsed(qwen_moe());
  EXPECT_EQ(qwen.shared_expert_ffn, 5632);
  EXPECT_FALSE(qwen.normalize_expert_weights);
  EXPECT_TRUE(qwen.attention_bias);
  EXPECT_EQ(qwen.begin_token, -1);  // its tokenizer puts none before a text
}

TEST(ConfigJson, WindowLimitsTheContextWhereItIsUsed) {
  json file = llama3();
  file["architectures"] = {"MistralForCausalLM"};
  file["sliding_window"] = 4096;
  EXPECT_EQ(parsed(file).max_positions, 4096);
  EXPECT_EQ(parsed(qwen_moe()).max_positions, 8192);
  file["layer_types"] = {"full_attention"};
  EXPECT_EQ(parsed(file).max_positions, 8192);
}

TEST(ConfigJson, NewerKeysOfRotaryEmbedding) {
  json file = llama3();
  file.erase("rope_theta");
  file["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 250000.0}};
  EXPECT_FLOAT_EQ(parsed(file).rope_theta, 250'000);
}

TEST(ConfigJson, WhatIsWrittenReadsBackTheSame) {
  for (const json& file : {llama3(), mixtral(), qwen_moe()}) {
    const ModelConfig config = parsed(file);
    const std::string text = config_json(config, NumberType::kBfloat16, "77");
    EXPECT_EQ(config_json_pair(text), "77");
    const auto again = parse_config_json(text, "again");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->architecture, config.architecture);
    EXPECT_EQ(config_json(*again, NumberType::kBfloat16, "77"), text);
    EXPECT_EQ(again->rms_epsilon, config.rms_epsilon);
    EXPECT_EQ(again->begin_token, config.begin_token);
    EXPECT_EQ(again->end_tokens, config.end_tokens);
  }
}

TEST(ConfigJson, UnsupportedThingsAreNamed) {
  const json file = llama3();
  EXPECT_THAT(refusal(file, "architectures", {"GPT2LMHeadModel"}),
              HasSubstr("c.json: architecture \"GPT2LMHeadModel\" (known: LlamaForCausalLM"));
  EXPECT_THAT(refusal(file, "architectures", {"Qwen3MoeForCausalLM"}),
              HasSubstr("normalizes queries and keys"));
  EXPECT_EQ(refusal(file, "hidden_act", "gelu"),
            "c.json: hidden_act \"gelu\" (known: silu) is not supported");
  EXPECT_EQ(refusal(file, "rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}),
            "c.json: rope_scaling: type \"llama3\" of rotary embedding is not supported");
  EXPECT_THAT(refusal(file, "quantization_config", {{"quant_method", "awq"}}),
              HasSubstr("quantization (awq)"));
  EXPECT_THAT(refusal(file, "attention_bias", true), HasSubstr("attention_bias"));
  EXPECT_THAT(refusal(file, "mlp_bias", true), HasSubstr("mlp_bias"));
  EXPECT_THAT(refusal(file, "torch_dtype", "float16"), HasSubstr("number type \"float16\""));
  EXPECT_THAT(refusal(file, "partial_rotary_factor", 0.5), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(refusal(file, "layer_types", {"linear_attention"}), HasSubstr("linear_attention"));
  EXPECT_THAT(refusal(qwen_moe(), "decoder_sparse_step", 2), HasSubstr("decoder_sparse_step"));
  EXPECT_THAT(refusal(qwen_moe(), "mlp_only_layers", {0}), HasSubstr("mlp_only_layers"));
}

TEST(ConfigJson, BadValuesAreNamedWithTheirBounds) {
  const json file = llama3();
  EXPECT_EQ(refusal(file, "num_hidden_layers", 0),
            "c.json: num_hidden_layers is 0: must be 1 to 1024");
  EXPECT_EQ(refusal(file, "num_key_value_heads", 5),
            "c.json: num_key_value_heads is 5: must divide num_attention_heads (32)");
  EXPECT_EQ(refusal(file, "hidden_size", nullptr), "c.json: hidden_size is missing");
  EXPECT_THAT(refusal(file, "hidden_size", "big"), HasSubstr("hidden_size is \"big\""));
  EXPECT_THAT(refusal(file, "hidden_size", 1e30), HasSubstr("must be a whole number"));
  EXPECT_THAT(refusal(file, "rms_norm_eps", 0), HasSubstr("rms_norm_eps is 0"));
  EXPECT_THAT(refusal(file, "rope_theta", 1e300), HasSubstr("rope_theta"));
  EXPECT_THAT(refusal(file, "eos_token_id", 128256), HasSubstr("eos_token_id holds 128256"));
  EXPECT_THAT(refusal(mixtral(), "num_experts_per_tok", 9), HasSubstr("must be 1 to 8"));
  EXPECT_EQ(parse_config_json("{", "c.json").error().message, "c.json: is not valid JSON");
  EXPECT_EQ(parse_config_json("[]", "c.json").error().message, "c.json: is not a JSON object");
  EXPECT_EQ(parse_config_json("{}", "c.json").error().message, "c.json: architectures is missing");
}

}  // namespace
}  // namespace binnacle::engine
