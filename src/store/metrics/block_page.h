// A page: the unit of a block's files that is compressed and checksummed. Pure functions; any
// thread. Format: docs/formats/block.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle::store::metrics {

inline constexpr uint32_t kMaxPageBytes = uint32_t{256} << 20;
inline constexpr int kNoCompression = 0;

// Where a page lies and what it must be. What `first` and `extent` count depends on the section:
// pairs of a page of values or postings, bytes of the column stream elsewhere.
struct BlockPage {
  uint64_t offset = 0;
  uint32_t stored_bytes = 0;
  uint32_t raw_bytes = 0;
  uint32_t checksum = 0;  // CRC-32C of the stored bytes
  uint64_t first = 0;
  uint64_t extent = 0;
  std::string first_value;  // of pages of values alone
};

// The bytes to store, compressed where that is smaller; fills in the sizes and the checksum.
std::string pack_page(std::string raw, int zstd_level, BlockPage& page);

// False when the stored bytes are not those that were written. The page lies within `file`.
bool page_is_intact(std::string_view file, const BlockPage& page);

// The raw bytes of an intact page: a view of `file` or of `buffer`. kDataLoss without context.
Result<std::string_view> unpack_page(std::string_view file, const BlockPage& page,
                                     std::string& buffer);

}  // namespace binnacle::store::metrics
