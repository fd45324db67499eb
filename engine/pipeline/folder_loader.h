// Layers from a models folder; what is not there is fetched from a peer first. One thread at a
// time.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "engine/pipeline/layer_loader.h"
#include "engine/pipeline/model_store.h"
#include "engine/pipeline/weight_fetch.h"

namespace binnacle::engine {

struct FolderLoaderOptions {
  std::string models_folder;
  int threads = 1;
  int64_t memory_bytes = 0;        // that the layers and their KV cache may take; 0: any
  int64_t expert_cache_bytes = 0;  // 0: all experts are held
  std::string expert_routing_log;  // "": none
  // Not 0: no weights are read, each row of a layer takes that long. For benches.
  double emulated_seconds_per_row_layer = 0;
  FetchOptions fetch;
};

class FolderLoader final : public LayerLoader {
 public:
  // References outlive the loader.
  FolderLoader(FolderLoaderOptions options, FileSystem& files, Registry& registry);

  // kNotFound: neither here nor at a peer; kFailedPrecondition: its weights have another hash;
  // kResourceExhausted: memory; kInvalidArgument: layers that it has not; kDataLoss: broken files.
  Status prepare(const LoadOrder& order, const std::atomic<bool>& stopping) override;
  Result<std::unique_ptr<Forward>> load(const LoadOrder& order) override;

 private:
  bool emulated() const { return options_.emulated_seconds_per_row_layer > 0; }
  Status fetch(const LoadOrder& order, const std::string& folder,
               const std::atomic<bool>& stopping);
  Status check(const LoadOrder& order, const std::string& folder) const;
  Status check_memory(const LoadOrder& order, const ModelConfig& config, NumberType type) const;

  const FolderLoaderOptions options_;
  FileSystem& files_;
  Registry& registry_;
  const ModelStore store_;
  const Log log_{"weights"};
};

}  // namespace binnacle::engine
