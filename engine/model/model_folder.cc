#include "engine/model/model_folder.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "engine/model/config_json.h"
#include "engine/model/model_tensors.h"
#include "engine/model/weight_files.h"

namespace binnacle::engine {
namespace {

constexpr size_t kShownTensors = 3;

class Hasher {
 public:
  Hasher() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
  ~Hasher() { XXH3_freeState(state_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(std::string_view bytes) { XXH3_64bits_update(state_, bytes.data(), bytes.size()); }
  void add(uint64_t value) { XXH3_64bits_update(state_, &value, sizeof(value)); }
  uint64_t value() const { return XXH3_64bits_digest(state_); }

 private:
  XXH3_state_t* const state_;
};

// What decides a result, and nothing else: not the name, nor what only training or chat needs.
uint64_t config_digest(ModelConfig config) {
  const ModelConfig none;
  config.name.clear();
  config.chat_family.clear();
  config.end_tokens.clear();
  config.begin_token = -1;
  config.load_balance_loss_weight = none.load_balance_loss_weight;
  config.z_loss_weight = none.z_loss_weight;
  Hasher hasher;
  hasher.add(config_json(config, NumberType::kFloat32, ""));
  return hasher.value();
}

// Left over in files of old writers, and of no effect.
bool is_harmless(std::string_view name, const ModelConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tied_embeddings && name == "lm_head.weight");
}

std::string folder_name(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder.substr(folder.rfind('/') + 1);
}

// A crash between the two renames of a writer leaves a config.json of other weights: then the one
// that the weights' file holds counts. An edited config.json keeps its pair and counts.
Result<ModelConfig> read_config(const std::string& folder, const WeightFiles& weights,
                                FileSystem& files) {
  const std::string path = folder + "/config.json";
  const auto held = weights.metadata().find(kHeldConfigKey);
  if (held == weights.metadata().end()) {
    TRY_ASSIGN(const std::string text, files.read_file(path, kMaxConfigJsonBytes));
    return parse_config_json(text, path);
  }
  if (files.exists(path)) {
    TRY_ASSIGN(const std::string text, files.read_file(path, kMaxConfigJsonBytes));
    if (config_json_pair(text) == config_json_pair(held->second)) {
      return parse_config_json(text, path);
    }
  }
  return parse_config_json(held->second, weights.shown() + ": its held config");
}

// Instruct models name their end of turn there alone.
Status add_generation_end_tokens(const std::string& folder, FileSystem& files,
                                 ModelConfig& config) {
  const std::string path = folder + "/generation_config.json";
  if (!files.exists(path)) return {};
  TRY_ASSIGN(const std::string text, files.read_file(path, kMaxConfigJsonBytes));
  TRY_ASSIGN(const auto tokens, parse_generation_end_tokens(text, path));
  for (const int32_t token : tokens) {
    if (token < 0 || token >= config.vocabulary) {
      return fail(Code::kInvalidArgument, fmt::format("{}: eos_token_id holds {}: must be 0 to {}",
                                                      path, token, config.vocabulary - 1));
    }
    if (std::ranges::find(config.end_tokens, token) == config.end_tokens.end()) {
      config.end_tokens.push_back(token);
    }
  }
  return {};
}

Result<ModelConfig> whole_config(const std::string& folder, const WeightFiles& weights,
                                 FileSystem& files) {
  TRY_ASSIGN(ModelConfig config, read_config(folder, weights, files));
  TRY(add_generation_end_tokens(folder, files, config));
  if (config.name.empty()) config.name = folder_name(folder);
  return config;
}

}  // namespace

struct ModelFolder::Impl {
  using Tensors = std::map<std::string, TensorView, std::less<>>;

  Status take_tensors();
  Status refuse_unknown(const std::set<std::string_view>& known) const;
  void digest_tensor(const std::string& name, Hasher& hasher) const;
  uint64_t digest_of(int32_t part) EXCLUDES(mu);

  // Fixed after open.
  WeightFiles weights;
  ModelConfig config;
  Tensors tensors;                                       // by our own names
  std::map<int32_t, std::vector<std::string>> by_layer;  // and kEmbed, kEnd
  uint64_t config_hash = 0;

  Mutex mu;
  std::map<int32_t, uint64_t> digests GUARDED_BY(mu);  // by layer, as far as they were asked for

  static constexpr int32_t kEmbed = -1;  // parts beside the layers
  static constexpr int32_t kEnd = -2;    // norm and head
};

Status ModelFolder::Impl::take_tensors() {
  std::set<std::string_view> known;
  std::vector<ModelTensor> wanted = model_tensors(config);
  for (const ModelTensor& tensor : wanted) {
    const WeightFiles::Found* const found = weights.find(tensor.file_name);
    if (found == nullptr) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{}: lacks tensor \"{}\" ({}), which its config.json asks for",
                              weights.shown(), tensor.file_name, shape_text(tensor.shape)));
    }
    if (found->entry.shape != tensor.shape) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("{}: tensor \"{}\" has shape {}, its config.json asks for {}", found->file,
                      tensor.file_name, shape_text(found->entry.shape), shape_text(tensor.shape)));
    }
    known.insert(tensor.file_name);
    tensors[tensor.name] = {found->entry.type, tensor.shape,
                            std::as_bytes(std::span(found->bytes))};
    const bool first = tensor.name == "embed";
    by_layer[tensor.layer >= 0 ? tensor.layer : first ? kEmbed : kEnd].push_back(tensor.name);
  }
  if (config.tied_embeddings) {
    tensors["head"] = tensors["embed"];
    by_layer[kEnd].push_back("head");
  }
  return refuse_unknown(known);
}

// A tensor that no part of the computation reads would make another model than the file's.
Status ModelFolder::Impl::refuse_unknown(const std::set<std::string_view>& known) const {
  std::string names;
  size_t count = 0;
  for (const auto& [name, found] : weights.tensors()) {
    if (known.contains(name) || is_harmless(name, config)) continue;
    if (++count <= kShownTensors) names += fmt::format("{}\"{}\"", count > 1 ? ", " : "", name);
  }
  if (count == 0) return {};
  return fail(
      Code::kUnimplemented,
      fmt::format("{}: has {} tensors that a {} of this config has not: {}{}", weights.shown(),
                  count, config.architecture, names, count > kShownTensors ? ", ..." : ""));
}

void ModelFolder::Impl::digest_tensor(const std::string& name, Hasher& hasher) const {
  const TensorView& view = tensors.at(name);
  hasher.add(name);
  hasher.add(static_cast<uint64_t>(view.type));
  hasher.add({reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()});
}

uint64_t ModelFolder::Impl::digest_of(int32_t part) {
  {
    const MutexLock lock(mu);
    if (const auto at = digests.find(part); at != digests.end()) return at->second;
  }
  Hasher hasher;
  for (const std::string& name : by_layer.at(part)) digest_tensor(name, hasher);
  const MutexLock lock(mu);
  digests[part] = hasher.value();
  return hasher.value();
}

ModelFolder::ModelFolder() : impl_(std::make_unique<Impl>()) {}
ModelFolder::~ModelFolder() = default;

Result<std::unique_ptr<ModelFolder>> ModelFolder::open(const std::string& folder,
                                                       FileSystem& files) {
  std::unique_ptr<ModelFolder> out(new ModelFolder());
  Impl& impl = *out->impl_;
  TRY_ASSIGN(impl.weights, WeightFiles::open(folder, files));
  TRY_ASSIGN(impl.config, whole_config(folder, impl.weights, files));
  TRY(impl.take_tensors());
  impl.config_hash = config_digest(impl.config);
  return out;
}

Result<ModelConfig> read_model_config(const std::string& folder, FileSystem& files) {
  TRY_ASSIGN(const WeightFiles weights, WeightFiles::open(folder, files));
  return whole_config(folder, weights, files);
}

const ModelConfig& ModelFolder::config() const { return impl_->config; }

Result<TensorView> ModelFolder::tensor(std::string_view name) const {
  const auto at = impl_->tensors.find(name);
  if (at != impl_->tensors.end()) return at->second;
  return fail(Code::kNotFound,
              fmt::format("{}: has no tensor \"{}\"", impl_->weights.shown(), name));
}

std::string ModelFolder::hash(LayerRange layers) const {
  Hasher hasher;
  hasher.add(impl_->config_hash);
  hasher.add(static_cast<uint64_t>(layers.begin));
  if (layers.begin == 0) hasher.add(impl_->digest_of(Impl::kEmbed));
  for (int32_t layer = layers.begin; layer < layers.end; ++layer) {
    hasher.add(impl_->digest_of(layer));
  }
  if (layers.end == impl_->config.layers) hasher.add(impl_->digest_of(Impl::kEnd));
  return fmt::format("{:016x}", hasher.value());
}

NumberType ModelFolder::number_type() const { return impl_->tensors.at("layer.0.q").type; }

}  // namespace binnacle::engine
