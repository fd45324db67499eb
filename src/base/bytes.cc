#include "base/bytes.h"

#include <bit>
#include <cstring>

namespace binnacle {

static_assert(std::endian::native == std::endian::little);

template <typename Unsigned>
void ByteWriter::fixed(Unsigned v) {
  char bytes[sizeof(v)];
  std::memcpy(bytes, &v, sizeof(v));
  out_.append(bytes, sizeof(v));
}

template void ByteWriter::fixed(uint16_t);
template void ByteWriter::fixed(uint32_t);
template void ByteWriter::fixed(uint64_t);

void ByteWriter::f64(double v) { u64(std::bit_cast<uint64_t>(v)); }

void ByteWriter::varint(uint64_t v) {
  for (; v >= 0x80; v >>= 7) u8(static_cast<uint8_t>(v | 0x80));
  u8(static_cast<uint8_t>(v));
}

void ByteWriter::zigzag(int64_t v) {
  const auto bits = static_cast<uint64_t>(v);
  varint((bits << 1) ^ (v < 0 ? ~uint64_t{0} : 0));
}

void ByteWriter::sized(std::string_view bytes) {
  varint(bytes.size());
  raw(bytes);
}

template <typename Unsigned>
Unsigned ByteReader::fixed() {
  Unsigned v{};
  const std::string_view bytes = raw(sizeof(v));
  if (ok_) std::memcpy(&v, bytes.data(), sizeof(v));
  return v;
}

uint8_t ByteReader::u8() { return fixed<uint8_t>(); }
uint16_t ByteReader::u16() { return fixed<uint16_t>(); }
uint32_t ByteReader::u32() { return fixed<uint32_t>(); }
uint64_t ByteReader::u64() { return fixed<uint64_t>(); }
double ByteReader::f64() { return std::bit_cast<double>(u64()); }

uint64_t ByteReader::long_varint() {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = u8();
    // Of the tenth byte only one bit has room.
    if (!ok_ || (shift == 63 && byte > 1)) break;
    v |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return v;
  }
  fail();
  return 0;
}

void ByteReader::fail() {
  ok_ = false;
  rest_ = {};
}

}  // namespace binnacle
