// Requests and answers of a Forward stream from anywhere: whatever the bytes, reading ends in a
// value or an error, and what was read is written and read again as the same. The checksum is put
// right first, since otherwise nothing behind it would be seen.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/pipeline/checksum_frame.h"
#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/pipeline_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace binnacle::engine;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_forward_request(bytes);
  (void)read_load(bytes);
  (void)read_facts(bytes);
  std::string sealed;
  begin_checksum(sealed);
  sealed += bytes;
  seal_checksum(sealed);
  (void)read_forward_answer(sealed);
  (void)read_piece(sealed);
  if (const auto request = read_forward_request(sealed)) {
    const std::string once = write_forward_request(*request, NumberType::kFloat32);
    const auto again = read_forward_request(once);
    CHECK(again.has_value());
    CHECK(write_forward_request(*again, NumberType::kFloat32) == once);
  }
  return 0;
}
