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
#include "store/metrics/misfits.h"

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

uint64_t bits_of(double v) { return std::bit_cast<uint64_t>(v); }

void encode_raw(std::span<const double> values, std::string& out) {
  out.push_back(static_cast<char>(kRaw));
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
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
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): misfits are written before read
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
  uint32_t misfits_[kMaxMisfits];
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

// The integers of the column that follows the first byte, in `kept` where that is wanted. Calls
// `fill` with them, and puts the misfits over what it made of them; `fill` returns the exponent
// that leads back to them, or -1.
template <typename Fill>
bool decode_mapped(ByteReader reader, bool patched, std::span<double> out, ColumnIntegers* kept,
                   const Fill& fill) {
  const ByteReader misfits = reader;
  if (patched && !skip_misfits(reader, out.size())) return false;
  IntegerScratch scratch(kept == nullptr ? out.size() : 0);
  if (kept != nullptr) kept->integers.resize(out.size());
  const std::span<uint64_t> words = kept == nullptr ? scratch.words() : kept->integers;
  if (!decode_integers(reader.rest(), words)) return false;
  const int exponent = fill(words);
  if (kept != nullptr && !patched) kept->exponent = exponent;
  if (patched) place_misfits(misfits, out);
  return true;
}

bool decode_bits(ByteReader reader, bool patched, std::span<double> out) {
  return decode_mapped(reader, patched, out, nullptr, [out](std::span<const uint64_t> words) {
    std::memcpy(out.data(), words.data(), words.size_bytes());
    return -1;
  });
}

int fill_decimals(std::span<const uint64_t> words, unsigned exponent, std::span<double> out) {
  return from_decimals(words, exponent, out) ? static_cast<int>(exponent) : -1;
}

bool decode_decimals(ByteReader reader, uint8_t head, std::span<double> out, ColumnIntegers* kept) {
  const bool patched = (head & ~kExponentMask) == kDecimalPatched;
  return decode_mapped(reader, patched, out, kept, [out, head](std::span<const uint64_t> words) {
    return fill_decimals(words, head & kExponentMask, out);
  });
}

bool decode_constant(ByteReader& reader, uint8_t head, std::span<double> out) {
  const double value = head == kConstantBits
                           ? std::bit_cast<double>(reader.u64())
                           : from_decimal(reader.zigzag(), kPowersOfTen[head & kExponentMask]);
  std::fill(out.begin(), out.end(), value);
  return reader.at_end();
}

}  // namespace

bool holds_numbers(std::string_view bytes) {
  const unsigned kind = bytes.empty() ? kRaw : static_cast<uint8_t>(bytes[0]) & ~kExponentMask;
  return kind == kDecimal || kind == kConstantDecimal;
}

Status decode_values(std::string_view bytes, std::span<double> out, ColumnIntegers* kept) {
  if (kept != nullptr) kept->exponent = -1;
  if (out.empty()) return fail(Code::kDataLoss, "value column: no samples");
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  if (!reader.ok()) return broken();
  bool ok = false;
  if (head == kRaw)
    ok = decode_raw(reader.rest(), out);
  else if (head == kConstantBits || (head & ~kExponentMask) == kConstantDecimal)
    ok = decode_constant(reader, head, out);
  else if (head == kBits || head == kBitsPatched)
    ok = decode_bits(reader, head == kBitsPatched, out);
  else if (head >= kDecimal && head < kConstantDecimal)
    ok = decode_decimals(reader, head, out, kept);
  else
    return fail(Code::kDataLoss, "value column: unknown codec (" + std::to_string(head) + ")");
  return ok ? Status{} : broken();
}

namespace {

// The integers of a reference. Both sides make the same of it, whatever it holds: what is no
// decimal stands for the integer before.
void reference_integers(std::span<const double> reference, unsigned exponent,
                        std::span<uint64_t> integers) {
  to_decimals(reference, exponent, integers, {});
}

}  // namespace

bool encode_values_against(std::span<const double> values, std::span<const double> reference,
                           size_t max_bytes, std::string& out) {
  CHECK(!values.empty() && values.size() == reference.size());
  const auto exponent = guess_decimal_exponent(values);
  if (!exponent) return false;
  IntegerScratch own(values.size());
  IntegerScratch other(values.size());
  uint32_t room[kMaxMisfits];
  const std::span<uint32_t> misfits(room, most_misfits(values.size()));
  const size_t count = to_decimals(values, *exponent, own.words(), misfits);
  if (count > misfits.size()) return false;
  reference_integers(reference, *exponent, other.words());
  for (size_t i = 0; i < values.size(); ++i) own.words()[i] -= other.words()[i];
  const size_t start = out.size();
  out.push_back(static_cast<char>((count > 0 ? kDecimalPatched : kDecimal) | *exponent));
  if (count > 0) encode_misfits(values, misfits.first(count), out);
  encode_integers(own.words(), Effort::kSmall, out);
  if (out.size() - start < max_bytes) return true;
  out.resize(start);
  return false;
}

Status decode_values_against(std::string_view bytes, std::span<const double> reference,
                             std::span<double> out, const ColumnIntegers* known,
                             ColumnIntegers* kept) {
  if (kept != nullptr) kept->exponent = -1;
  if (out.empty() || out.size() != reference.size())
    return fail(Code::kDataLoss, "value column: its reference has another length");
  ByteReader reader(bytes);
  const uint8_t head = reader.u8();
  if (head < kDecimal || head >= kConstantDecimal)
    return fail(Code::kDataLoss, "value column: unknown codec (" + std::to_string(head) + ")");
  const unsigned exponent = head & kExponentMask;
  const bool patched = head >= kDecimalPatched;
  const bool use_known = known != nullptr && known->exponent == static_cast<int>(exponent);
  const bool ok = decode_mapped(reader, patched, out, kept, [&](std::span<uint64_t> words) {
    IntegerScratch made(use_known ? 0 : words.size());
    if (!use_known) reference_integers(reference, exponent, made.words());
    const std::span<const uint64_t> other = use_known ? std::span(known->integers) : made.words();
    for (size_t i = 0; i < words.size(); ++i) words[i] += other[i];
    return fill_decimals(words, exponent, out);
  });
  return ok ? Status{} : broken();
}

}  // namespace binnacle::store::metrics
