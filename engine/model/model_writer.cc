// Writing a model folder. The weights' file is renamed before config.json and holds its text too:
// whichever of the two renames a crash comes after, the folder opens as the old model or the new.
#include <fmt/format.h>
#include <xxhash.h>

#include <cmath>
#include <map>
#include <utility>

#include "base/random.h"
#include "engine/model/config_json.h"
#include "engine/model/model_folder.h"
#include "engine/model/model_tensors.h"
#include "engine/model/safetensors.h"
#include "engine/model/weight_files.h"

namespace binnacle::engine {
namespace {

constexpr float kWeightDeviation = 0.02F;
constexpr size_t kPieceValues = size_t{1} << 18;
constexpr int64_t kSpareBytes = int64_t{1} << 20;  // headers and config

std::string pair_of(const std::string& config_text) {
  return fmt::format("{:016x}", XXH3_64bits(config_text.data(), config_text.size()));
}

int64_t count_of(const ModelTensor& tensor) {
  int64_t count = 1;
  for (const int64_t size : tensor.shape) count *= size;
  return count;
}

// The tensors of one model on their way to its folder.
class FolderWriter {
 public:
  static Result<FolderWriter> create(FileSystem& files, const std::string& folder,
                                     const ModelConfig& config, NumberType type) {
    TRY(check_model_config(config));
    if (architecture_for(config).empty()) {
      return fail(Code::kInvalidArgument, "no family of models has this shape");
    }
    const std::string pair = pair_of(config_json(config, type, ""));
    std::string text = config_json(config, type, pair);
    std::vector<SafetensorsWriter::Tensor> told;
    for (const ModelTensor& tensor : model_tensors(config)) {
      told.push_back({tensor.file_name, type, tensor.shape});
    }
    TRY(files.create_directories(folder));
    TRY_ASSIGN(SafetensorsWriter weights,
               SafetensorsWriter::create(files, fmt::format("{}/{}", folder, kWeightsFile), told,
                                         {{"format", "pt"}, {std::string(kHeldConfigKey), text}}));
    return FolderWriter(files, folder, std::move(text), std::move(weights), type);
  }

  Status append(std::span<const float> values) { return weights_.append(values, type_); }

  Status commit() {
    TRY(weights_.commit());
    return files_.write_file_atomically(folder_ + "/config.json", config_text_);
  }

 private:
  FolderWriter(FileSystem& files, std::string folder, std::string config_text,
               SafetensorsWriter weights, NumberType type)
      : files_(files),
        folder_(std::move(folder)),
        config_text_(std::move(config_text)),
        weights_(std::move(weights)),
        type_(type) {}

  FileSystem& files_;
  const std::string folder_;
  const std::string config_text_;
  SafetensorsWriter weights_;
  const NumberType type_;
};

Result<std::map<std::string_view, const NamedTensor*>> by_name(
    std::span<const NamedTensor> tensors) {
  std::map<std::string_view, const NamedTensor*> out;
  for (const NamedTensor& tensor : tensors) {
    if (out.emplace(tensor.name, &tensor).second) continue;
    return fail(Code::kInvalidArgument, fmt::format("tensor \"{}\" was given twice", tensor.name));
  }
  return out;
}

Status check_given(const std::map<std::string_view, const NamedTensor*>& given,
                   std::span<const ModelTensor> wanted) {
  const auto invalid = [](std::string message) {
    return fail(Code::kInvalidArgument, std::move(message));
  };
  for (const ModelTensor& tensor : wanted) {
    const auto at = given.find(tensor.name);
    if (at == given.end()) return invalid(fmt::format("tensor \"{}\" is missing", tensor.name));
    if (at->second->shape != tensor.shape) {
      return invalid(fmt::format("tensor \"{}\" has shape {}, the config asks for {}", tensor.name,
                                 shape_text(at->second->shape), shape_text(tensor.shape)));
    }
    if (static_cast<int64_t>(at->second->values.size()) != count_of(tensor)) {
      return invalid(fmt::format("tensor \"{}\" has {} values, its shape {} needs {}", tensor.name,
                                 at->second->values.size(), shape_text(tensor.shape),
                                 count_of(tensor)));
    }
  }
  if (given.size() == wanted.size()) return {};
  std::map<std::string_view, const NamedTensor*> rest = given;
  for (const ModelTensor& tensor : wanted) rest.erase(tensor.name);
  return invalid(fmt::format("tensor \"{}\" is none of this config's", rest.begin()->first));
}

// Numbers of one tensor. The sum of four even 16-bit numbers is near enough to a normal one, costs
// one step of the generator, and, free of logarithms and sines, is the same on every machine.
class TensorValues {
 public:
  TensorValues(const ModelTensor& tensor, const ModelConfig& config, uint64_t seed)
      : random_(XXH3_64bits_withSeed(tensor.name.data(), tensor.name.size(), seed)) {
    if (tensor.name.ends_with("norm")) {
      constant_ = 1;
    } else if (!tensor.name.ends_with(".bias")) {
      const bool residual = tensor.name.ends_with(".o") || tensor.name.ends_with(".down");
      const float depth = residual ? std::sqrt(2.0F * static_cast<float>(config.layers)) : 1.0F;
      scale_ = kWeightDeviation / (kDeviation * depth);
    }
  }

  void fill(std::span<float> out) {
    for (float& value : out) value = constant_ + scale_ * static_cast<float>(next());
  }

 private:
  // Of the sum of four numbers of 0 to 65,535: the root of 4 * (2^32 - 1) / 12.
  static constexpr float kDeviation = 37'837.2275F;

  int32_t next() {
    if (scale_ == 0) return 0;
    const uint64_t bits = random_.next();
    const auto sum =
        (bits & 0xFFFFU) + ((bits >> 16) & 0xFFFFU) + ((bits >> 32) & 0xFFFFU) + (bits >> 48);
    return static_cast<int32_t>(sum) - 2 * 65'535;
  }

  SeededRandom random_;
  float constant_ = 0;
  float scale_ = 0;
};

Status require_space(FileSystem& files, const std::string& folder, int64_t bytes) {
  TRY(files.create_directories(folder));
  TRY_ASSIGN(const DiskSpace space, files.space(folder));
  if (space.available_bytes >= static_cast<uint64_t>(bytes + kSpareBytes)) return {};
  return fail(Code::kResourceExhausted,
              fmt::format("{}: {} bytes are free, the model needs {}", folder,
                          space.available_bytes, bytes + kSpareBytes));
}

}  // namespace

Status write_model_folder(const std::string& folder, const ModelConfig& config, NumberType type,
                          std::span<const NamedTensor> tensors, FileSystem& files) {
  TRY(check_model_config(config));
  const std::vector<ModelTensor> wanted = model_tensors(config);
  TRY_ASSIGN(const auto given, by_name(tensors));
  TRY(check_given(given, wanted));
  TRY_ASSIGN(FolderWriter writer, FolderWriter::create(files, folder, config, type));
  for (const ModelTensor& tensor : wanted) {
    TRY(writer.append(given.at(tensor.name)->values));
  }
  return writer.commit();
}

Status write_random_model(const std::string& folder, const ModelConfig& config, NumberType type,
                          uint64_t seed, const WriteProgress& progress, FileSystem& files) {
  TRY(check_model_config(config));
  const int64_t total = config.parameters() * number_size(type);
  TRY(require_space(files, folder, total));
  TRY_ASSIGN(FolderWriter writer, FolderWriter::create(files, folder, config, type));
  int64_t done = 0;
  std::vector<float> piece(kPieceValues);
  for (const ModelTensor& tensor : model_tensors(config)) {
    TensorValues values(tensor, config, seed);
    for (int64_t left = count_of(tensor); left > 0;) {
      const auto part = std::span(piece).first(std::min(piece.size(), static_cast<size_t>(left)));
      values.fill(part);
      TRY(writer.append(part));
      left -= static_cast<int64_t>(part.size());
      done += static_cast<int64_t>(part.size()) * number_size(type);
      if (progress) progress(done, total);
    }
  }
  return writer.commit();
}

}  // namespace binnacle::engine
