// A folder with a model as Hugging Face lays it out: config.json, *.safetensors (with or without
// model.safetensors.index.json), tokenizer.json. Reading maps files; writing replaces the folder's
// files atomically, so that a reader sees the old model or the new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

struct TensorView {
  NumberType type = NumberType::kFloat32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // little-endian, row-major, as long as the ModelFolder lives
};

class ModelFolder {
 public:
  // Reads config.json and every file's header; checks lengths, offsets, overlap, types, and the
  // shape of each tensor that the config asks for. Errors name the file, the tensor and what was
  // expected.
  static Result<std::unique_ptr<ModelFolder>> open(const std::string& folder);
  ~ModelFolder();

  const ModelConfig& config() const;
  // By our own names, whatever the family calls it: "embed", "head", "norm",
  // "layer.N.{attention_norm,ffn_norm}", "layer.N.{q,k,v,o}", "layer.N.{q,k,v}.bias",
  // "layer.N.{gate,up,down}", "layer.N.router", "layer.N.expert.E.{gate,up,down}",
  // "layer.N.shared.{gate,up,down}", "layer.N.shared.router". Matrices are [out, in]. kNotFound.
  Result<TensorView> tensor(std::string_view name) const;
  // Of config and weights of these layers (all: of the whole model); XXH3 in hex. Cached.
  std::string hash(LayerRange layers) const;
  NumberType number_type() const;

 private:
  ModelFolder();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct NamedTensor {
  std::string name;  // our own names
  std::vector<int64_t> shape;
  std::vector<float> values;
};
// Writes config.json and model.safetensors with the family's names, in `type`. Atomic and synced.
Status write_model_folder(const std::string& folder, const ModelConfig& config, NumberType type,
                          std::span<const NamedTensor> tensors);

// Random weights of a given shape, streamed to disk tensor by tensor; for benchmarks and tests.
Status write_random_model(const std::string& folder, const ModelConfig& config, NumberType type,
                          uint64_t seed);

}  // namespace binnacle::engine
