// Looks at the files of a metric store that nobody has open, and changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

struct CheckedBlock {
  std::string name;  // of its folder
  BlockMeta meta;    // empty when the block cannot be opened
  uint64_t bytes = 0;
  std::string problem;  // empty: none found
};

struct CheckedLog {
  std::string path;
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::string problem;
  bool torn_tail = false;  // a crash cut the last record short: no problem
};

struct StoreCheck {
  std::vector<CheckedBlock> blocks;   // by name
  std::vector<CheckedLog> snapshots;  // of the head, oldest first
  CheckedLog wal;
  std::vector<std::string> set_aside;  // damaged parts that an earlier start put away

  size_t problems() const;
};

// `thorough`: reads every byte of every block and checks all checksums; otherwise what a start
// would look at.
Result<StoreCheck> check_store(FileSystem& files, const std::string& folder, bool thorough);

}  // namespace binnacle::store::metrics
