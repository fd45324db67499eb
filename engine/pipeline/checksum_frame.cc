#include "engine/pipeline/checksum_frame.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace binnacle::engine {
namespace {

constexpr char kTag = 0x0d;  // field 1, fixed32

}  // namespace

void begin_checksum(std::string& message) {
  CHECK(message.empty());
  message.assign(kChecksumBytes, '\0');
  message[0] = kTag;
}

void seal_checksum(std::string& message) {
  CHECK(message.size() >= kChecksumBytes && message[0] == kTag);
  const uint32_t sum = crc32c(std::string_view(message).substr(kChecksumBytes));
  std::string bytes;
  ByteWriter(bytes).u32(sum);
  message.replace(1, bytes.size(), bytes);
}

Result<std::string_view> checked_content(std::string_view message) {
  if (message.size() < kChecksumBytes || message[0] != kTag)
    return fail(Code::kInvalidArgument, "a message without its checksum");
  const std::string_view content = message.substr(kChecksumBytes);
  ByteReader reader(message.substr(1));
  if (reader.u32() != crc32c(content)) {
    return fail(Code::kDataLoss, "a message of " + std::to_string(message.size()) +
                                     " bytes fails its checksum: it was changed on the way, or in "
                                     "memory");
  }
  return content;
}

}  // namespace binnacle::engine
