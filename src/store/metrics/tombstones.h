// What was deleted from a block since it was written: ranges of time of some series, in one small
// file beside the block's others. Format: docs/formats/block.md.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::store::metrics {

struct Tombstone {
  uint32_t series = 0;
  int64_t min_ms = 0;
  int64_t max_ms = 0;  // included
  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

// Value, one thread; read by many once built.
class Tombstones {
 public:
  struct Range {
    int64_t min_ms = 0;
    int64_t max_ms = 0;  // included
  };

  void add(const Tombstone& tombstone);  // min_ms <= max_ms
  bool empty() const { return by_series_.empty(); }
  std::span<const Range> of(uint32_t series) const;  // ascending, apart
  // Takes out of both vectors the samples that are covered.
  void apply(uint32_t series, std::vector<int64_t>& times_ms, std::vector<double>& values) const;

  std::string encode(int format) const;
  static Result<Tombstones> parse(std::string_view bytes, const std::string& path);
  // Empty when the block has none.
  static Result<Tombstones> load(FileSystem& files, const std::string& folder);

 private:
  std::map<uint32_t, std::vector<Range>> by_series_;
};

// Adds to the file of a block, atomically; `format` is the block's. Blocks that are open do not see
// it: open anew. One caller at a time for a block.
Status add_tombstones(FileSystem& files, const std::string& folder, int format,
                      std::span<const Tombstone> tombstones);

}  // namespace binnacle::store::metrics
