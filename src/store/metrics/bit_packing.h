// Unsigned integers of one width, 0 to 64 bits, side by side: the first value in the lowest bits of
// the first byte, no gaps, the last byte filled with zeros. Pure functions; any thread. Format:
// docs/formats/chunk.md.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace binnacle::store::metrics {

static_assert(std::endian::native == std::endian::little);

inline uint64_t load_word(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

inline void store_word(char* bytes, uint64_t word) { std::memcpy(bytes, &word, sizeof(word)); }

// How many bits it takes to tell `range` + 1 values apart.
inline unsigned bit_width(uint64_t range) { return static_cast<unsigned>(std::bit_width(range)); }

inline size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

// Appends; no value may need more than `width` bits.
void pack_bits(std::span<const uint64_t> values, unsigned width, std::string& out);
// Fills all of `out`. False unless `bytes` has exactly the size that takes.
bool unpack_bits(std::string_view bytes, unsigned width, std::span<uint64_t> out);

}  // namespace binnacle::store::metrics
