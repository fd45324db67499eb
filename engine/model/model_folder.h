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
#include "base/file_system.h"
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
  // expected. The files must not be changed in place while the object lives; replaced they may be.
  static Result<std::unique_ptr<ModelFolder>> open(const std::string& folder,
                                                   FileSystem& files = real_file_system());
  ~ModelFolder();

  const ModelConfig& config() const;
  // By our own names, whatever the family calls it: "embed", "head" (the embedding where they are
  // tied), "norm",
  // "layer.N.{attention_norm,ffn_norm}", "layer.N.{q,k,v,o}", "layer.N.{q,k,v}.bias",
  // "layer.N.{gate,up,down}", "layer.N.router", "layer.N.expert.E.{gate,up,down}",
  // "layer.N.shared.{gate,up,down}", "layer.N.shared.router". Matrices are [out, in]. kNotFound.
  // Aligned to its numbers; tensors of one model may be of different types.
  Result<TensorView> tensor(std::string_view name) const;
  // Of config and weights of these layers (all: of the whole model); XXH3 in hex. Cached; the first
  // call for a layer reads all of it. The same for every layout of files and every name of the
  // model. Any thread.
  std::string hash(LayerRange layers) const;
  NumberType number_type() const;  // of the matrices of layer 0

 private:
  ModelFolder();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The config alone, as open() takes it; no tensor is looked at.
Result<ModelConfig> read_model_config(const std::string& folder,
                                      FileSystem& files = real_file_system());

struct NamedTensor {
  std::string name;  // our own names
  std::vector<int64_t> shape;
  std::vector<float> values;
};
// Writes config.json and model.safetensors with the family's names, in `type`; the tensors may come
// in any order, and all must come. Atomic and synced: weights and config fit together after a crash
// at any moment, since the weights' file holds its config too. kInvalidArgument names a tensor that
// is missing, unknown or of another shape.
Status write_model_folder(const std::string& folder, const ModelConfig& config, NumberType type,
                          std::span<const NamedTensor> tensors,
                          FileSystem& files = real_file_system());

// Told while a model is written: bytes done and bytes in all.
using WriteProgress = std::function<void(int64_t done, int64_t total)>;
// Random weights of a given shape, streamed to disk piece by piece; for benchmarks and tests. The
// same numbers for the same seed on every machine: about normal with deviation 0.02, what is added
// to the residual stream divided by sqrt(2 layers), norms 1, biases 0; none is denormal.
Status write_random_model(const std::string& folder, const ModelConfig& config, NumberType type,
                          uint64_t seed, const WriteProgress& progress = {},
                          FileSystem& files = real_file_system());

}  // namespace binnacle::engine
