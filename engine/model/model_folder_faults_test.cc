// What a model folder does with damage: crashes of its writer, files that lack something, files of
// other writers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fault_file_system.h"
#include "engine/model/config_json.h"
#include "engine/model/model_folder.h"
#include "engine/model/model_tensors.h"
#include "engine/model/safetensors.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;
using testing::HasSubstr;

ModelConfig tiny_config(float theta) {
  ModelConfig config;
  config.layers = 1;
  config.hidden = 4;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_size = 2;
  config.ffn = 4;
  config.vocabulary = 6;
  config.max_positions = 16;
  config.rope_theta = theta;
  return config;
}

std::vector<NamedTensor> filled(const ModelConfig& config, float value) {
  std::vector<NamedTensor> out;
  for (const ModelTensor& tensor : model_tensors(config)) {
    size_t count = 1;
    for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
    out.push_back({tensor.name, tensor.shape, std::vector<float>(count, value)});
  }
  return out;
}

Status write(FileSystem& files, float theta) {
  const ModelConfig config = tiny_config(theta);
  return write_model_folder("/m", config, NumberType::kFloat32, filled(config, theta), files);
}

float first_of(const TensorView& view) {
  float out = 0;
  std::memcpy(&out, view.bytes.data(), sizeof(out));
  return out;
}

std::string refusal(FileSystem& files) {
  const auto folder = ModelFolder::open("/m", files);
  return folder ? "" : folder.error().message;
}

// The power goes at each step of replacing one model by another, in each way that it can.
TEST(ModelFolderFaults, ACrashLeavesTheOldModelOrTheNew) {
  int old_ones = 0;
  int new_ones = 0;
  for (const Crash kind : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    bool finished = false;
    for (uint64_t step = 0; !finished; ++step) {
      FaultFileSystem files(step + 1);
      ASSERT_TRUE(write(files, 100));
      files.power_off_after(step);
      finished = write(files, 200).has_value();
      files.crash(kind);
      const auto folder = ModelFolder::open("/m", files);
      ASSERT_TRUE(folder) << "step " << step << ": " << folder.error().message;
      const float theta = (*folder)->config().rope_theta;
      EXPECT_TRUE(theta == 100 || theta == 200);
      EXPECT_EQ(first_of(*(*folder)->tensor("layer.0.q")), theta) << "step " << step;
      EXPECT_TRUE(!finished || theta == 200);
      (theta == 100 ? old_ones : new_ones)++;
    }
  }
  EXPECT_GT(old_ones, 6);
  EXPECT_GT(new_ones, 6);
}

TEST(ModelFolderFaults, AFullDiskLeavesTheOldModelAndNothingElse) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, 100));
  files.set_capacity(3000);
  const auto written = write(files, 200);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kResourceExhausted);
  EXPECT_EQ((*ModelFolder::open("/m", files))->config().rope_theta, 100);
  EXPECT_EQ(files.list("/m")->size(), 2U);
}

TEST(ModelFolderFaults, AnEditedConfigCounts) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, 100));
  json config = json::parse(*files.read_file("/m/config.json"));
  config["rope_theta"] = 150.0;
  ASSERT_TRUE(files.write_file_atomically("/m/config.json", config.dump()));
  EXPECT_EQ((*ModelFolder::open("/m", files))->config().rope_theta, 150);
  ASSERT_TRUE(files.remove("/m/config.json"));
  EXPECT_EQ((*ModelFolder::open("/m", files))->config().rope_theta, 100);
}

TEST(ModelFolderFaults, ConfigAndWeightsMustFit) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, 100));
  json config = json::parse(*files.read_file("/m/config.json"));
  const auto with = [&](const char* key, json value) {
    json changed = config;
    changed[key] = std::move(value);
    EXPECT_TRUE(files.write_file_atomically("/m/config.json", changed.dump()));
    return refusal(files);
  };
  EXPECT_EQ(with("intermediate_size", 5),
            "/m/model.safetensors: tensor \"model.layers.0.mlp.gate_proj.weight\" has shape "
            "[4, 4], its config.json asks for [5, 4]");
  EXPECT_EQ(with("num_hidden_layers", 2),
            "/m/model.safetensors: lacks tensor \"model.layers.1.input_layernorm.weight\" ([4]), "
            "which its config.json asks for");
  EXPECT_EQ(with("tie_word_embeddings", true), "");  // a head that is not read is harmless
  files.corrupt("/m/model.safetensors", 20);
  EXPECT_THAT(refusal(files), HasSubstr("/m/model.safetensors: "));
}

// A folder in the layout of a big foreign model: shards with an index, and no config held inside.
struct Shards {
  Shards() {
    const ModelConfig config = tiny_config(100);
    for (const ModelTensor& tensor : model_tensors(config)) {
      (tensor.layer < 0 ? first : second).push_back({tensor.file_name, {}, tensor.shape});
    }
    EXPECT_TRUE(files.create_directories("/m"));
    EXPECT_TRUE(files.write_file_atomically("/m/config.json",
                                            config_json(config, NumberType::kFloat32, "")));
  }

  void put(const std::string& name, const std::vector<SafetensorsWriter::Tensor>& tensors) {
    auto writer = SafetensorsWriter::create(files, "/m/" + name, tensors, {{"format", "pt"}});
    ASSERT_TRUE(writer);
    for (const auto& tensor : tensors) {
      size_t count = 1;
      for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
      ASSERT_TRUE(writer->append(std::vector<float>(count, 7), tensor.type));
    }
    ASSERT_TRUE(writer->commit());
  }

  void put_index(json by_tensor) {
    const json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", std::move(by_tensor)}};
    ASSERT_TRUE(files.write_file_atomically("/m/model.safetensors.index.json", index.dump()));
  }

  void put_all() {
    put("model-1.safetensors", first);
    put("model-2.safetensors", second);
    for (const auto& tensor : first) map[tensor.name] = "model-1.safetensors";
    for (const auto& tensor : second) map[tensor.name] = "model-2.safetensors";
    put_index(map);
  }

  FaultFileSystem files;
  std::vector<SafetensorsWriter::Tensor> first, second;
  json map;
};

TEST(ModelFolderFaults, ShardsAreReadByTheirIndex) {
  Shards shards;
  shards.put_all();
  const auto folder = ModelFolder::open("/m", shards.files);
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(first_of(*(*folder)->tensor("layer.0.q")), 7);
  FaultFileSystem other;
  const ModelConfig config = tiny_config(100);
  ASSERT_TRUE(write_model_folder("/m", config, NumberType::kFloat32, filled(config, 7), other));
  EXPECT_EQ((*folder)->hash({0, 1}), (*ModelFolder::open("/m", other))->hash({0, 1}));
}

TEST(ModelFolderFaults, ShardsThatDoNotFitTheirIndex) {
  Shards shards;
  shards.put_all();
  json wrong = shards.map;
  wrong["lm_head.weight"] = "model-2.safetensors";
  shards.put_index(wrong);
  EXPECT_THAT(refusal(shards.files),
              HasSubstr("/m/model-2.safetensors: lacks tensor \"lm_head.weight\""));
  wrong["lm_head.weight"] = "../model-1.safetensors";
  shards.put_index(wrong);
  EXPECT_THAT(refusal(shards.files), HasSubstr("names no .safetensors file of its folder"));
  shards.put_index(json::object());
  EXPECT_THAT(refusal(shards.files), HasSubstr("weight_map is empty"));
  shards.put_index(shards.map);
  ASSERT_TRUE(shards.files.remove("/m/model-2.safetensors"));
  EXPECT_THAT(refusal(shards.files), HasSubstr("/m/model-2.safetensors"));
}

TEST(ModelFolderFaults, TensorsThatNobodyReadsAreRefusedByName) {
  Shards shards;
  std::vector<SafetensorsWriter::Tensor> all = shards.first;
  all.insert(all.end(), shards.second.begin(), shards.second.end());
  all.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", {}, {1}});
  shards.put("only.safetensors", all);
  EXPECT_EQ(refusal(shards.files), "");  // left over from old writers
  all.push_back({"model.layers.0.self_attn.q_norm.weight", {}, {2}});
  shards.put("only.safetensors", all);
  EXPECT_THAT(refusal(shards.files),
              HasSubstr("has 1 tensors that a LlamaForCausalLM of this config has not: "
                        "\"model.layers.0.self_attn.q_norm.weight\""));
}

TEST(ModelFolderFaults, FoldersWithoutTheirFiles) {
  Shards shards;
  EXPECT_EQ(refusal(shards.files), "/m: has no .safetensors file");
  ASSERT_TRUE(shards.files.write_file_atomically("/m/pytorch_model.bin", "x"));
  EXPECT_THAT(refusal(shards.files), HasSubstr("PyTorch's own files are not read"));
  shards.put("a.safetensors", shards.first);
  EXPECT_THAT(refusal(shards.files), HasSubstr("lacks tensor"));
  shards.put("b.safetensors", shards.second);
  EXPECT_THAT(refusal(shards.files), HasSubstr("has 2 .safetensors files"));
}

TEST(ModelFolderFaults, EndTokensOfTheGenerationConfigAreAdded) {
  FaultFileSystem files;
  ASSERT_TRUE(write(files, 100));
  ASSERT_TRUE(
      files.write_file_atomically("/m/generation_config.json", R"({"eos_token_id": [5, 3]})"));
  EXPECT_THAT((*ModelFolder::open("/m", files))->config().end_tokens, testing::ElementsAre(5, 3));
  ASSERT_TRUE(files.write_file_atomically("/m/generation_config.json", R"({"eos_token_id": 6})"));
  EXPECT_THAT(refusal(files), HasSubstr("/m/generation_config.json: eos_token_id holds 6"));
}

TEST(ModelFolderFaults, WritersAreToldWhatDoesNotFit) {
  FaultFileSystem files;
  const ModelConfig config = tiny_config(100);
  const auto refused = [&](auto change) {
    std::vector<NamedTensor> tensors = filled(config, 1);
    change(tensors);
    const auto written = write_model_folder("/m", config, NumberType::kFloat32, tensors, files);
    return written ? "" : written.error().message;
  };
  EXPECT_EQ(refused([](auto& t) { t.erase(t.begin()); }), "tensor \"embed\" is missing");
  EXPECT_EQ(refused([](auto& t) { t.push_back(t[0]); }), "tensor \"embed\" was given twice");
  EXPECT_EQ(refused([](auto& t) {
              t.push_back({"x", {}, {1}});
            }),
            "tensor \"x\" is none of this config's");
  EXPECT_THAT(refused([](auto& t) { t[0].shape = {1}; }), HasSubstr("has shape [1]"));
  EXPECT_THAT(refused([](auto& t) { t[0].values.pop_back(); }), HasSubstr("has 23 values"));
  EXPECT_FALSE(files.exists("/m/config.json"));
}

}  // namespace
}  // namespace binnacle::engine
