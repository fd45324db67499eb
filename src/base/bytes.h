// Little-endian binary records, read and written. A ByteReader never reads outside its bytes: the
// first value that does not fit makes it fail for good, every later read gives zero, and ok() is
// asked once at the end. Varints are LEB128 as in protobuf, zigzag for signed values. Values, one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle {

class ByteWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(uint8_t v) { out_ += static_cast<char>(v); }
  void u16(uint16_t v) { fixed(v); }
  void u32(uint32_t v) { fixed(v); }
  void u64(uint64_t v) { fixed(v); }
  void f64(double v);
  void varint(uint64_t v);
  void zigzag(int64_t v);
  void raw(std::string_view bytes) { out_ += bytes; }
  void sized(std::string_view bytes);  // a varint length, then the bytes

 private:
  template <typename Unsigned>
  void fixed(Unsigned v);

  std::string& out_;
};

class ByteReader {
 public:
  // `bytes` must outlive the reader and the views it gives out.
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint8_t u8();
  uint16_t u16();
  uint32_t u32();
  uint64_t u64();
  double f64();
  // Fails beyond 64 bits. Most are one byte.
  uint64_t varint() {
    if (rest_.empty() || (static_cast<uint8_t>(rest_[0]) & 0x80) != 0) return long_varint();
    const auto v = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return v;
  }
  int64_t zigzag() {
    const uint64_t v = varint();
    return static_cast<int64_t>((v >> 1) ^ (0 - (v & 1)));
  }
  std::string_view raw(uint64_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view bytes(rest_.data(), size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view sized() { return raw(varint()); }

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }  // empty once failed

 private:
  template <typename Unsigned>
  Unsigned fixed();
  uint64_t long_varint();
  void fail();

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace binnacle
