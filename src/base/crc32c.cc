#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace binnacle {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint32_t kReflectedPolynomial = 0x82F63B78;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b adds to the CRC when k more bytes follow it ("slicing by eight",
// Kounavis and Berry 2005).
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) * kReflectedPolynomial);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = (shorter >> 8) ^ tables[0][shorter & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint64_t load64(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                 uint32_t before) {
  uint64_t crc = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) crc = __builtin_ia32_crc32di(crc, load64(at));
  auto narrow = static_cast<uint32_t>(crc);
  for (; left > 0; --left, ++at) {
    narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(*at));
  }
  return ~narrow;
}

bool has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }
#else
uint32_t crc32c_by_instruction(std::string_view bytes, uint32_t before) {
  return crc32c_by_table(bytes, before);
}

bool has_instruction() { return false; }
#endif

}  // namespace

uint32_t crc32c_by_table(std::string_view bytes, uint32_t before) {
  uint32_t crc = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = load64(at) ^ crc;
    uint32_t next = 0;
    for (size_t k = 8; k-- > 0; word >>= 8) next ^= kTables[k][word & 0xFF];
    crc = next;
  }
  for (; left > 0; --left, ++at) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xFF];
  }
  return ~crc;
}

uint32_t crc32c(std::string_view bytes, uint32_t before) {
  static const auto chosen = has_instruction() ? &crc32c_by_instruction : &crc32c_by_table;
  return chosen(bytes, before);
}

}  // namespace binnacle
