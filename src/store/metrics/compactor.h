// Merges blocks into one. Memory holds the new block's index and one series at a time; the blocks
// themselves stay as they are, and the caller swaps. Any thread; long, so one of a pool's.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block.h"
#include "store/metrics/block_writer.h"

namespace binnacle::store::metrics {

struct MergeOptions {
  BlockWriteOptions write;
  // Asked before each series; true ends the merge with kCancelled. May be empty.
  std::function<bool()> cancelled;
};

// Of samples at one time that of the block with the greater ULID stays. What tombstones cover is
// left out, and a series of which nothing is left. The result names the blocks as its parents.
Result<BlockMeta> merge_blocks(FileSystem& files, const std::string& blocks_folder,
                               std::span<const std::shared_ptr<const Block>> blocks,
                               std::string ulid, const MergeOptions& options);

}  // namespace binnacle::store::metrics
