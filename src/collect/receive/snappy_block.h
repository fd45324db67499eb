// Snappy's block format (one block, no frames), bounded: the length that the block announces is
// held against the limit before any byte is written. Source: format_description.txt of
// google/snappy.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace binnacle::collect::receive {

// Room for decompressed bytes that is used again. One thread at a time.
class SnappyBuffer {
 public:
  // The view holds until the next call. kResourceExhausted beyond max_bytes, kInvalidArgument for
  // broken bytes.
  Result<std::string_view> decompress(std::string_view block, size_t max_bytes);
  size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
};

}  // namespace binnacle::collect::receive
