#include "store/metrics/block_page.h"

#include <zstd.h>

#include <memory>

#include "base/check.h"
#include "base/crc32c.h"

namespace binnacle::store::metrics {
namespace {

// A context costs 100 KiB to make, so that each thread keeps one.
ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                                &ZSTD_freeDCtx);
  return context.get();
}

std::string_view stored(std::string_view file, const BlockPage& page) {
  CHECK(page.offset <= file.size() && page.stored_bytes <= file.size() - page.offset);
  return file.substr(page.offset, page.stored_bytes);
}

}  // namespace

std::string pack_page(std::string raw, int zstd_level, BlockPage& page) {
  CHECK(raw.size() <= kMaxPageBytes);
  page.raw_bytes = static_cast<uint32_t>(raw.size());
  if (zstd_level != kNoCompression) {
    std::string frame(ZSTD_compressBound(raw.size()), '\0');
    const size_t size =
        ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), zstd_level);
    CHECK(!ZSTD_isError(size));
    if (size < raw.size()) {
      frame.resize(size);
      raw = std::move(frame);
    }
  }
  page.stored_bytes = static_cast<uint32_t>(raw.size());
  page.checksum = crc32c(raw);
  return raw;
}

bool page_is_intact(std::string_view file, const BlockPage& page) {
  return crc32c(stored(file, page)) == page.checksum;
}

Result<std::string_view> unpack_page(std::string_view file, const BlockPage& page,
                                     std::string& buffer) {
  const std::string_view bytes = stored(file, page);
  if (page.stored_bytes == page.raw_bytes) return bytes;
  // The frame's own word before the memory: a broken directory must not make us ask for a lot.
  if (ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != page.raw_bytes) {
    return fail(Code::kDataLoss, "not a zstd frame of the size that the directory names");
  }
  buffer.resize(page.raw_bytes);
  const size_t size =
      ZSTD_decompressDCtx(decompressor(), buffer.data(), buffer.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) || size != page.raw_bytes) {
    return fail(Code::kDataLoss, "broken zstd frame");
  }
  return std::string_view(buffer);
}

}  // namespace binnacle::store::metrics
