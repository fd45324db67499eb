#include "engine/pipeline/folder_loader.h"

#include <utility>

#include "engine/model/layer_stack.h"
#include "engine/model/model_folder.h"

namespace binnacle::engine {
namespace {

Status check_layers(const LayerRange& layers, const ModelConfig& config, const std::string& model) {
  if (layers.begin >= 0 && layers.begin < layers.end && layers.end <= config.layers) return {};
  return fail(Code::kInvalidArgument, "layers " + std::to_string(layers.begin) + " to " +
                                          std::to_string(layers.end) + " of model " + model +
                                          ": it has " + std::to_string(config.layers));
}

int64_t size_of(NumberType type) { return type == NumberType::kFloat32 ? 4 : 2; }

// Keys and values of one position, in all these layers.
int64_t kv_bytes_of_position(const ModelConfig& config, const LayerRange& layers) {
  return int64_t{2} * config.kv_heads * config.head_size * static_cast<int64_t>(sizeof(float)) *
         layers.size();
}

}  // namespace

FolderLoader::FolderLoader(FolderLoaderOptions options, FileSystem& files, Registry& registry)
    : options_(std::move(options)),
      files_(files),
      registry_(registry),
      store_(options_.models_folder, files) {}

Status FolderLoader::prepare(const LoadOrder& order, const std::atomic<bool>& stopping) {
  if (order.kv_positions <= 0)
    return fail(Code::kInvalidArgument, "load: kv_positions must be 1 or more");
  TRY_ASSIGN(const std::string folder, store_.folder_of(order.model));
  if (!store_.has(order.model)) return fetch(order, folder, stopping);
  return check(order, folder);
}

Status FolderLoader::check(const LoadOrder& order, const std::string& folder) const {
  if (emulated()) {
    TRY_ASSIGN(const ModelConfig config, read_model_config(folder, files_));
    return check_layers(order.layers, config, order.model);
  }
  TRY_ASSIGN(const auto model, ModelFolder::open(folder, files_));
  TRY(check_layers(order.layers, model->config(), order.model));
  TRY(check_memory(order, model->config(), model->number_type()));
  if (order.weights_hash.empty()) return {};
  const std::string hash = model->hash(order.layers);
  if (hash == order.weights_hash) return {};
  return fail(Code::kFailedPrecondition,
              "model " + order.model + ": the weights of layers " +
                  std::to_string(order.layers.begin) + " to " + std::to_string(order.layers.end) +
                  " in " + folder + " have the hash " + hash + ", asked for was " +
                  order.weights_hash + "; remove the folder to have it fetched anew");
}

Status FolderLoader::check_memory(const LoadOrder& order, const ModelConfig& config,
                                  NumberType type) const {
  if (options_.memory_bytes == 0) return {};
  const int64_t weights = config.parameters_of_layer() * size_of(type) * order.layers.size();
  const int64_t kv = kv_bytes_of_position(config, order.layers) * order.kv_positions;
  if (options_.expert_cache_bytes > 0 || weights + kv <= options_.memory_bytes) return {};
  return fail(Code::kResourceExhausted, "model " + order.model + ": " +
                                            std::to_string(order.layers.size()) + " layers take " +
                                            std::to_string(weights) + " bytes and their KV cache " +
                                            std::to_string(kv) + ", this worker has " +
                                            std::to_string(options_.memory_bytes) + " (--memory)");
}

Status FolderLoader::fetch(const LoadOrder& order, const std::string& folder,
                           const std::atomic<bool>& stopping) {
  Error last{Code::kNotFound, "model " + order.model + " is not in " + store_.folder() +
                                  " and no peer was named that may have it"};
  TRY(check_file_name(order.model));
  // Hidden, so that it counts as no model until it is whole.
  const std::string aside = store_.folder() + "/.fetch-" + order.model;
  for (const std::string& peer : order.peers) {
    log_.info("fetching a model", {{"model", order.model}, {"peer", peer}});
    Status fetched =
        fetch_weights(peer, order.model, aside, options_.fetch, files_, registry_, stopping);
    if (fetched) fetched = check(order, aside);
    if (fetched) fetched = files_.rename(aside, folder);
    if (fetched) return files_.sync_dir(store_.folder());
    last = std::move(fetched).error().with_context("model " + order.model + " from " + peer);
    log_.warn("not fetched", {{"error", last.message}});
    if (const Status removed = files_.remove_all(aside); !removed)
      log_.warn("what was fetched is left behind", {{"error", removed.error().message}});
    if (last.code == Code::kCancelled) break;
  }
  return fail(std::move(last));
}

Result<std::unique_ptr<Forward>> FolderLoader::load(const LoadOrder& order) {
  TRY_ASSIGN(const std::string folder, store_.folder_of(order.model));
  if (emulated()) {
    TRY_ASSIGN(const ModelConfig config, read_model_config(folder, files_));
    return emulated_forward({.config = config,
                             .layers = order.layers,
                             .seconds_per_row_layer = options_.emulated_seconds_per_row_layer,
                             .kv_positions = order.kv_positions});
  }
  return load_layer_stack(folder, {.layers = order.layers,
                                   .kv_positions = order.kv_positions,
                                   .threads = options_.threads,
                                   .expert_cache_bytes = options_.expert_cache_bytes,
                                   .expert_routing_log = options_.expert_routing_log});
}

}  // namespace binnacle::engine
