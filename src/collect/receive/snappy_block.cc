#include "collect/receive/snappy_block.h"

#include <fmt/format.h>
#include <snappy.h>

namespace binnacle::collect::receive {

Result<std::string_view> SnappyBuffer::decompress(std::string_view block, size_t max_bytes) {
  size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length))
    return fail(Code::kInvalidArgument, "snappy body: its length is broken");
  if (length > max_bytes) {
    return fail(Code::kResourceExhausted,
                fmt::format("snappy body: {} bytes decompressed, the limit is {} "
                            "(collect.receive.max_body_bytes)",
                            length, max_bytes));
  }
  if (length > capacity_ || bytes_ == nullptr) {
    bytes_ = std::make_unique_for_overwrite<char[]>(length + 1);
    capacity_ = length;
  }
  if (!snappy::RawUncompress(block.data(), block.size(), bytes_.get()))
    return fail(Code::kInvalidArgument, "snappy body: broken data");
  return std::string_view(bytes_.get(), length);
}

}  // namespace binnacle::collect::receive
