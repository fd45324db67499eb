// What a block's meta file (meta.json) says. Format: docs/formats/block.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "store/metrics/store_format.h"

namespace binnacle::store::metrics {

struct BlockMeta {
  std::string ulid;
  int format = kDefaultFormat;
  int64_t min_ms = 0;  // first of the range
  int64_t max_ms = 0;  // first after the range
  uint64_t series = 0;
  uint64_t samples = 0;
  int level = 1;                     // 1: cut from the head; each compaction adds one
  std::vector<std::string> sources;  // ULIDs of the level 1 blocks it was made of
  std::vector<std::string> parents;  // ULIDs of the blocks that this one replaces
  int64_t resolution_ms = 0;         // 0: raw samples; otherwise one downsampled tier
  std::string cluster;
  std::map<std::string, std::string> external_labels;
};

// With a checksum of its own, which parse_block_meta() holds it to.
std::string block_meta_json(const BlockMeta& meta);
Result<BlockMeta> parse_block_meta(std::string_view text);

// 26 characters of Crockford's base 32: 48 bits of Unix milliseconds, 80 random ones. Source:
// github.com/ulid/spec.
std::string make_ulid(int64_t wall_ms, Random& random);
int64_t ulid_ms(std::string_view ulid);  // of a ULID
bool is_ulid(std::string_view text);

}  // namespace binnacle::store::metrics
