#include "show/xor_chunk.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace binnacle::show {
namespace {

// Bits from the highest to the lowest, the last byte filled with zeros.
class BitWriter {
 public:
  explicit BitWriter(std::string bytes) : bytes_(std::move(bytes)) {}

  void write(uint64_t value, int bits) {
    while (bits > 0) {
      if (free_ == 0) {
        bytes_.push_back('\0');
        free_ = 8;
      }
      const int some = std::min(bits, free_);
      const uint64_t part = (value >> (bits - some)) & ((uint64_t{1} << some) - 1);
      bytes_.back() = static_cast<char>(static_cast<uint8_t>(bytes_.back()) |
                                        static_cast<uint8_t>(part << (free_ - some)));
      free_ -= some;
      bits -= some;
    }
  }
  // Base 128, lowest group first.
  void write_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) write((value & 0x7F) | 0x80, 8);
    write(value, 8);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  int free_ = 0;  // bits of the last byte
};

// -(2^(bits-1) - 1) .. 2^(bits-1)
bool fits(int64_t value, int bits) {
  return -((int64_t{1} << (bits - 1)) - 1) <= value && value <= int64_t{1} << (bits - 1);
}

class XorWriter {
 public:
  explicit XorWriter(size_t count)
      : out_({static_cast<char>(count >> 8), static_cast<char>(count & 0xFF)}) {}

  void first(int64_t time_ms, double value) {
    const auto bits = static_cast<uint64_t>(time_ms);
    out_.write_varint((bits << 1) ^ (time_ms < 0 ? ~uint64_t{0} : 0));
    value_ = std::bit_cast<uint64_t>(value);
    out_.write(value_, 64);
    time_ms_ = time_ms;
  }
  void second(int64_t time_ms, double value) {
    delta_ms_ = time_ms - time_ms_;
    out_.write_varint(static_cast<uint64_t>(delta_ms_));
    time_ms_ = time_ms;
    write_value(value);
  }
  void next(int64_t time_ms, double value) {
    const int64_t delta_ms = time_ms - time_ms_;
    write_change(delta_ms - delta_ms_);
    delta_ms_ = delta_ms;
    time_ms_ = time_ms;
    write_value(value);
  }
  std::string take() { return out_.take(); }

 private:
  void write_change(int64_t change) {
    const auto bits = static_cast<uint64_t>(change);
    if (change == 0) {
      out_.write(0b0, 1);
    } else if (fits(change, 14)) {
      out_.write(0b10, 2);
      out_.write(bits, 14);
    } else if (fits(change, 17)) {
      out_.write(0b110, 3);
      out_.write(bits, 17);
    } else if (fits(change, 20)) {
      out_.write(0b1110, 4);
      out_.write(bits, 20);
    } else {
      out_.write(0b1111, 4);
      out_.write(bits, 64);
    }
  }

  void write_value(double value) {
    constexpr int kMostLeading = 31;  // what five bits hold
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t change = bits ^ value_;
    value_ = bits;
    if (change == 0) return out_.write(0, 1);
    out_.write(1, 1);
    const int leading = std::min(std::countl_zero(change), kMostLeading);
    const int trailing = std::countr_zero(change);
    if (leading_ >= 0 && leading >= leading_ && trailing >= trailing_) {
      out_.write(0, 1);
      return out_.write(change >> trailing_, 64 - leading_ - trailing_);
    }
    leading_ = leading;
    trailing_ = trailing;
    const int significant = 64 - leading - trailing;
    out_.write(1, 1);
    out_.write(static_cast<uint64_t>(leading), 5);
    out_.write(static_cast<uint64_t>(significant), 6);  // 64 is written as 0
    out_.write(change >> trailing, significant);
  }

  BitWriter out_;
  int64_t time_ms_ = 0;
  int64_t delta_ms_ = 0;
  uint64_t value_ = 0;
  int leading_ = -1;  // of the value that was last written with its own; -1: none yet
  int trailing_ = 0;
};

}  // namespace

std::string xor_chunk(std::span<const int64_t> times_ms, std::span<const double> values) {
  CHECK(times_ms.size() == values.size() && !values.empty() && values.size() <= 0xFFFF);
  XorWriter writer(values.size());
  writer.first(times_ms[0], values[0]);
  if (values.size() > 1) writer.second(times_ms[1], values[1]);
  for (size_t i = 2; i < values.size(); ++i) writer.next(times_ms[i], values[i]);
  return writer.take();
}

}  // namespace binnacle::show
