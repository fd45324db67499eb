// The blocks of a store: opened from their folder, handed to queries as one immutable list,
// exchanged when blocks come and go. Any thread; changes come from one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "store/metrics/block.h"
#include "store/metrics/compaction_plan.h"

namespace binnacle::store::metrics {

using BlockList = std::vector<std::shared_ptr<const Block>>;  // by first time, then ULID

// What the planners look at.
std::vector<BlockMeta> metas_of(const BlockList& blocks);
std::vector<SizedBlock> sized(const BlockList& blocks);

class BlockSet {
 public:
  BlockSet(FileSystem& files, std::string folder);

  struct OpenReport {
    size_t blocks = 0;
    std::vector<std::string> damaged;  // set aside as <ulid>.damaged, with the reason
  };
  // Opens what is there; unfinished blocks and those that a merge made unneeded are removed, broken
  // ones set aside. Another error where that cannot be told: the disk fails, or a block is of a
  // newer format (kFailedPrecondition).
  // `go_on` is asked before each block; its error ends the opening.
  Result<OpenReport> open(const std::function<Status()>& go_on) EXCLUDES(mu_);

  // Shared with queries, which may outlive a change. Keep it in a variable: in the head of a
  // range-for it would end before the loop does.
  std::shared_ptr<const BlockList> list() const EXCLUDES(mu_);
  // Opens the new blocks, publishes, then removes the old ones' folders.
  Status change(const std::vector<std::string>& add, const std::vector<std::string>& remove)
      EXCLUDES(mu_);
  // Takes a block out that cannot be read; returns the name that its folder has now.
  Result<std::string> set_aside(const std::string& ulid) EXCLUDES(mu_);
  // After its tombstones changed.
  Status reopen(const std::string& ulid) EXCLUDES(mu_);

  // Removes folders of blocks that are not in the list: of a block that was written but not taken
  // in, or whose removal failed. What they hold is elsewhere; a deletion would not reach it. While
  // nobody writes blocks.
  Status remove_strays();

  const std::string& folder() const { return folder_; }
  std::string path_of(const std::string& ulid) const { return folder_ + "/" + ulid; }
  uint64_t file_bytes() const EXCLUDES(mu_);

 private:
  void publish(BlockList list) EXCLUDES(mu_);

  // Fixed after construction.
  FileSystem& files_;
  const std::string folder_;

  mutable Mutex mu_;
  std::shared_ptr<const BlockList> list_ GUARDED_BY(mu_);
};

}  // namespace binnacle::store::metrics
