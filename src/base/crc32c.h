// CRC-32C (Castagnoli), the checksum of every record on disk and of the link's frames: RFC 3720
// B.4. Pure functions; the processor's instruction where it has one, tables elsewhere, the same
// value from both.
#pragma once

#include <cstdint>
#include <string_view>

namespace binnacle {

// `before` is the CRC of the bytes that come before: crc32c(b, crc32c(a)) == crc32c(a + b).
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

// The table form, for processors without the instruction; named here so that tests can hold both
// together.
uint32_t crc32c_by_table(std::string_view bytes, uint32_t before = 0);

}  // namespace binnacle
