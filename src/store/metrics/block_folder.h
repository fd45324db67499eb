// The folder of blocks: what is in it, what a crash left in it, how a block leaves it. Any thread,
// one at a time for changes. Format: docs/formats/block.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

inline constexpr std::string_view kUnfinishedSuffix = ".tmp";
inline constexpr std::string_view kDamagedSuffix = ".damaged";

// ULIDs of the blocks, ascending; what has another name is left out.
Result<std::vector<std::string>> list_blocks(FileSystem& files, const std::string& blocks_folder);
Result<BlockMeta> read_block_meta(FileSystem& files, const std::string& folder);

// Removes what unfinished writes and removals left. No writer may be at work.
Status remove_unfinished(FileSystem& files, const std::string& blocks_folder);

// Renames a block that cannot be used to <ulid>.damaged, or <ulid>.2.damaged and so on where there
// is one already; returns the name. Nothing is deleted.
Result<std::string> set_block_aside(FileSystem& files, const std::string& blocks_folder,
                                    const std::string& ulid);

// ULIDs of those that another of these names as its parent: a crash came before their removal. Give
// it the blocks that could be opened, or a damaged one takes its intact parents along.
std::vector<std::string> find_superseded(std::span<const BlockMeta> metas);

// Takes the block's name away first, so that a crash leaves no half block. Fine when it is not
// there.
Status remove_block(FileSystem& files, const std::string& blocks_folder, const std::string& ulid);

}  // namespace binnacle::store::metrics
