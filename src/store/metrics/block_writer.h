// Writes one block: series in label order, columns streamed to the file, so that memory holds the
// index alone. Nothing is visible under its final name before finish(). One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "model/labels.h"
#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

struct BlockWriteOptions {
  bool zstd = false;  // for cold blocks: columns compressed once more, page by page
  int format = kDefaultFormat;
  // Called with the bytes of each write; sleeps to keep to a bandwidth. May be empty.
  std::function<void(size_t)> pace;
};

class BlockWriter {
 public:
  // Writes to <blocks_folder>/<meta.ulid>.tmp. `meta` counts (series, samples) are filled in here.
  static Result<std::unique_ptr<BlockWriter>> create(FileSystem& files, std::string blocks_folder,
                                                     BlockMeta meta, BlockWriteOptions options);
  ~BlockWriter();  // without finish(): removes what it wrote

  // `labels` behind those of the call before; times ascending, within the meta's range, at least
  // one.
  Status add(model::LabelsView labels, std::span<const int64_t> times_ms,
             std::span<const double> values);
  // Synced, renamed to its final name, the folder synced.
  Result<BlockMeta> finish();

 private:
  struct Impl;
  explicit BlockWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::store::metrics
