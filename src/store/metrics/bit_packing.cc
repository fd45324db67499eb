#include "store/metrics/bit_packing.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

// A value of up to this width lies within the eight bytes that begin with its first byte.
constexpr unsigned kOneLoadWidth = 57;

inline uint64_t low_mask(unsigned width) {
  return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
}

// Values first..last of the stream at `bytes`, all of whose loads must lie in memory. No branch
// depends on the data, so that the loop pipelines.
template <bool kNarrow>
void unpack_range(const char* bytes, unsigned width, size_t first_bit, std::span<uint64_t> out) {
  const uint64_t mask = low_mask(width);
  size_t bit = first_bit;
  for (uint64_t& value : out) {
    const char* at = bytes + (bit >> 3);
    const unsigned shift = bit & 7;
    uint64_t word = load_word(at) >> shift;
    if constexpr (!kNarrow) {
      // The ninth byte; shifted twice, as a shift by 64 is undefined.
      word |= uint64_t{static_cast<uint8_t>(at[8])} << 1 << (63 - shift);
    }
    value = word & mask;
    bit += width;
  }
}

void unpack_range(const char* bytes, unsigned width, size_t first_bit, std::span<uint64_t> out) {
  if (width <= kOneLoadWidth)
    unpack_range<true>(bytes, width, first_bit, out);
  else
    unpack_range<false>(bytes, width, first_bit, out);
}

}  // namespace

void pack_bits(std::span<const uint64_t> values, unsigned width, std::string& out) {
  CHECK(width <= 64);
  if (width == 0) return;
  const size_t start = out.size();
  const size_t end = start + packed_bytes(values.size(), width);
  out.resize(end + 2 * sizeof(uint64_t));
  char* at = out.data() + start;
  uint64_t word = 0;
  unsigned used = 0;
  for (const uint64_t value : values) {
    word |= value << used;
    used += width;
    if (used >= 64) {
      store_word(at, word);
      at += sizeof(word);
      used -= 64;
      word = used == 0 ? 0 : value >> (width - used);
    }
  }
  store_word(at, word);
  out.resize(end);
}

bool unpack_bits(std::string_view bytes, unsigned width, std::span<uint64_t> out) {
  if (width > 64 || bytes.size() != packed_bytes(out.size(), width)) return false;
  if (width == 0 || out.empty()) {
    std::fill(out.begin(), out.end(), 0);
    return true;
  }
  // Loads that would reach beyond the end are made from a padded copy of the last bytes.
  constexpr size_t kReach = 9;
  const size_t safe_bits = bytes.size() < kReach ? 0 : (bytes.size() - kReach) * 8 + 1;
  const size_t direct = std::min(out.size(), (safe_bits + width - 1) / width);
  unpack_range(bytes.data(), width, 0, out.first(direct));
  const size_t tail_byte = direct * width / 8;
  char tail[4 * kReach] = {};
  std::memcpy(tail, bytes.data() + tail_byte, bytes.size() - tail_byte);
  unpack_range(tail, width, direct * width % 8, out.subspan(direct));
  return true;
}

}  // namespace binnacle::store::metrics
