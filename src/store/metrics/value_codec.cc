// The value columns of column_codec.h: doubles become integers (decimals, or their own bits), what
// does not fit is stored beside them, and an integer column does the rest.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "store/metrics/column_codec.h"
#include "store/metrics/decimal.h"
#include "store/metrics/integer_codec.h"
#include "store/metrics/integer_scratch.h"

namespace binnacle::store::metrics {
namespace {

// The first byte of a value column. The low four bits are the exponent where there is one.
constexpr uint8_t kRaw = 0x00;
constexpr uint8_t kConstantBits = 0x01;
constexpr uint8_t kBits = 0x02;         // the doubles' bits as integers
constexpr uint8_t kBitsPatched = 0x03;  // with misfits
constexpr uint8_t kDecimal = 0x10;
constexpr uint8_t kDecimalPatched = 0x20;
constexpr uint8_t kConstantDecimal = 0x30;
constexpr uint8_t kExponentMask = 0x0F;

// Beyond that share of misfits a column is not worth patching.
constexpr size_t kMaxMisfits = 1024;
constexpr size_t most_misfits(size_t count) { return std::min(count / 3, kMaxMisfits); }

uint64_t bits_of(double v) { return std::bit_cast<uint64_t>(v); }

void encode_raw(std::span<const double> values, std::string& out) {
  out.push_back(static_cast<char>(kRaw));
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

// The number of misfits and whether they are all the same, the gaps between them, their bits.
void encode_misfits(std::span<const double> values, std::span<const uint32_t> misfits,
                    std::string& out) {
  const uint64_t first = bits_of(values[misfits[0]]);
  const bool same = std::all_of(misfits.begin(), misfits.end(),
                                [&](uint32_t i) { return bits_of(values[i]) == first; });
  ByteWriter writer(out);
  writer.varint(misfits.size() << 1 | (same ? 1 : 0));
  uint32_t next = 0;
  for (const uint32_t i : misfits) {
    writer.varint(i - next);
    next = i + 1;
  }
  for (const uint32_t i : misfits.first(same ? 1 : misfits.size())) writer.u64(bits_of(values[i]));
}

struct Misfit {
  uint32_t at = 0;
  uint64_t bits = 0;
};

// Reads what encode_misfits wrote; false when it cannot belong to `count` values.
bool decode_misfits(ByteReader& reader, size_t count, std::span<Misfit> room,
                    std::span<Misfit>& misfits) {
  const uint64_t head = reader.varint();
  const uint64_t size = head >> 1;
  if (!reader.ok() || size > room.size() || size > count) return false;
  misfits = room.first(size);
  uint64_t next = 0;
  for (Misfit& misfit : misfits) {
    const uint64_t gap = reader.varint();
    if (!reader.ok() || gap >= count || next + gap >= count) return false;
    misfit.at = static_cast<uint32_t>(next + gap);
    next += gap + 1;
  }
  const bool same = (head & 1) != 0;
  uint64_t bits = same ? reader.u64() : 0;
  for (Misfit& misfit : misfits) misfit.bits = same ? bits : reader.u64();
  return reader.ok();
}

// What of `values` is stored as misfits when their bits are the integers: what is not finite, as
// its bits lie far from those of all numbers. The integers are set as to_decimals() sets them.
size_t to_bits(std::span<const double> values, std::span<uint64_t> integers,
               std::span<uint32_t> misfits) {
  size_t count = 0;
  size_t leading = 0;
  uint64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) {
      before = bits_of(values[i]);
    } else {
      if (count < misfits.size()) misfits[count] = static_cast<uint32_t>(i);
      leading += leading == i ? 1 : 0;
      ++count;
    }
    integers[i] = before;
  }
  if (count > misfits.size() || leading == values.size()) {
    std::transform(values.begin(), values.end(), integers.begin(), bits_of);
    return 0;
  }
  std::fill_n(integers.begin(), leading, integers[leading]);
  return count;
}

void encode_constant(double value, std::string& out) {
  ByteWriter writer(out);
  int64_t integer = 0;
  const unsigned exponent = guess_decimal_exponent({&value, 1}).value_or(0);
  if (to_decimal(value, kPowersOfTen[exponent], integer) && std::abs(integer) < int64_t{1} << 54) {
    writer.u8(static_cast<uint8_t>(kConstantDecimal | exponent));
    writer.zigzag(integer);
  } else {
    writer.u8(kConstantBits);
    writer.u64(bits_of(value));
  }
}

// Turns the column at `start` of `out` into a raw one where that is not longer.
void bound(std::span<const double> values, size_t start, std::string& out) {
  if (out.size() - start <= values.size_bytes()) return;
  out.resize(start);
  encode_raw(values, out);
}

class Encoder {
 public:
  Encoder(std::span<const double> values, Effort effort, std::string& out)
      : values_(values), effort_(effort), out_(out), scratch_(values.size()) {}

  // False, with nothing appended, when the values are not decimals.
  bool decimals(unsigned exponent) {
    const size_t room = most_misfits(values_.size());
    const std::span<uint32_t> misfits(misfits_, room);
    const size_t count = to_decimals(values_, exponent, scratch_.words(), misfits);
    if (count > room) return false;
    finish(static_cast<uint8_t>((count > 0 ? kDecimalPatched : kDecimal) | exponent),
           misfits.first(count));
    return true;
  }

  void bits() {
    const std::span<uint32_t> misfits(misfits_, most_misfits(values_.size()));
    const size_t count = to_bits(values_, scratch_.words(), misfits);
    finish(count > 0 ? kBitsPatched : kBits, misfits.first(count));
  }

 private:
  void finish(uint8_t head, std::span<const uint32_t> misfits) {
    out_.push_back(static_cast<char>(head));
    if (!misfits.empty()) encode_misfits(values_, misfits, out_);
    encode_integers(scratch_.words(), effort_, out_);
  }

  std::span<const double> values_;
  Effort effort_;
  std::string& out_;
  IntegerScratch scratch_;
  uint32_t misfits_[kMaxMisfits];  // NOLINT(cppcoreguidelines-pro-type-member-init)
};

}  // namespace

void encode_values(std::span<const double> values, Effort effort, std::string& out) {
  CHECK(!values.empty());
  const bool constant = std::all_of(values.begin() + 1, values.end(),
                                    [&](double v) { return bits_of(v) == bits_of(values[0]); });
  if (constant) return encode_constant(values[0], out);
  const size_t start = out.size();
  Encoder encoder(values, effort, out);
  const auto exponent = guess_decimal_exponent(values);
  if (!exponent || !encoder.decimals(*exponent)) encoder.bits();
  bound(values, start, out);
}

namespace {

Status broken() { return fail(Code::kDataLoss, "value column: broken bytes"); }

bool decode_raw(std::string_view bytes, std::span<double> out) {
  if (bytes.size() != out.size_bytes()) return false;
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return true;
}

// What follows the first byte of a column of integers, patched or not.
bool decode_mapped(ByteReader& reader, uint8_t head, std::span<double> out) {
  const bool decimal = head >= kDecimal;
  Misfit room[kMaxMisfits];
  std::span<Misfit> misfits;
  if (head == kBitsPatched || head >= kDecimalPatched) {
    if (!decode_misfits(reader, out.size(), room, misfits)) return false;
  }
  IntegerScratch scratch(out.size());
  const std::span<uint64_t> words = scratch.words();
  if (!decode_integers(reader.rest(), words)) return false;
  if (decimal)
    from_decimals(words, head & kExponentMask, out);
  else
    std::memcpy(out.data(), words.data(), words.size_bytes());
  for (const Misfit& misfit : misfits) out[misfit.at] = std::bit_cast<double>(misfit.bits);
  return true;
}

bool decode_constant(ByteReader& reader, uint8_t head, std::span<double> out) {
  const double value = head == kConstantBits
                           ? std::bit_cast<double>(reader.u64())
                           : from_decimal(reader.zigzag(), kPowersOfTen[head & kExponentMask]);
  std::fill(out.begin(), out.end(), value);
  return reader.at_end();
}

}  // namespace

Status decode_values(std::string_view bytes, std::span<double> out) {
  if (out.empty()) return fail(Code::kDataLoss, "value column: no samples");
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  if (!reader.ok()) return broken();
  bool ok = false;
  if (head == kRaw)
    ok = decode_raw(reader.rest(), out);
  else if (head == kConstantBits || (head & ~kExponentMask) == kConstantDecimal)
    ok = decode_constant(reader, head, out);
  else if (head <= kBitsPatched || (head >= kDecimal && head < kConstantDecimal))
    ok = decode_mapped(reader, head, out);
  else
    return fail(Code::kDataLoss, "value column: unknown codec (" + std::to_string(head) + ")");
  return ok ? Status{} : broken();
}

bool encode_values_against(std::span<const double>, std::span<const double>, size_t, std::string&) {
  return false;
}

Status decode_values_against(std::string_view, std::span<const double>, std::span<double>) {
  return fail(Code::kDataLoss, "value column: unknown codec");
}

}  // namespace binnacle::store::metrics
