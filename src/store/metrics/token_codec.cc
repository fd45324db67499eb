#include "store/metrics/token_codec.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/check.h"
#include "store/metrics/bit_packing.h"
#include "store/metrics/integer_scratch.h"
#include "store/metrics/token_model.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kMaxStates = size_t{1} << kMaxTableBits;

// Two states take turns in long columns, so that the processor works on both at once.
constexpr size_t kLanesOfShort = 1;
constexpr size_t kLanesOfLong = 2;
size_t lanes_for(unsigned table_bits) {
  return table_bits == kMaxTableBits ? kLanesOfLong : kLanesOfShort;
}

// Calls `place(token, slot)` for every state slot, the slots of one token far from each other.
template <typename Place>
void spread(std::span<const uint16_t> frequencies, unsigned table_bits, const Place& place) {
  const size_t mask = (size_t{1} << table_bits) - 1;
  const size_t step = (mask + 1) / 2 + (mask + 1) / 8 + 3;
  size_t slot = 0;
  for (size_t token = 0; token < frequencies.size(); ++token) {
    for (unsigned n = 0; n < frequencies[token]; ++n) {
      place(token, slot);
      slot = (slot + step) & mask;
    }
  }
}

struct DecodeEntry {
  uint16_t base;
  uint8_t bits;
  uint8_t token;
};

class DecodeTable {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): no state beyond the table is met
  DecodeTable(std::span<const uint16_t> frequencies, unsigned table_bits) {
    spread(frequencies, table_bits, [this](size_t token, size_t slot) {
      entries_[slot].token = static_cast<uint8_t>(token);
    });
    std::array<uint16_t, kMaxTokens> next{};
    std::copy(frequencies.begin(), frequencies.end(), next.begin());
    const unsigned states = 1u << table_bits;
    for (DecodeEntry& entry : std::span(entries_, states)) {
      const unsigned x = next[entry.token]++;
      entry.bits = static_cast<uint8_t>(table_bits + 1 - bit_width(x));
      entry.base = static_cast<uint16_t>((x << entry.bits) - states);
    }
  }
  DecodeEntry operator[](size_t state) const { return entries_[state]; }

 private:
  DecodeEntry entries_[kMaxStates];
};

class EncodeTable {
 public:
  EncodeTable(std::span<const uint16_t> frequencies, unsigned table_bits)
      : table_bits_(table_bits) {
    std::copy(frequencies.begin(), frequencies.end(), frequencies_.begin());
    unsigned sum = 0;
    for (size_t token = 0; token < frequencies.size(); ++token) {
      starts_[token] = sum;
      sum += frequencies[token];
    }
    std::array<uint8_t, kMaxStates> tokens{};
    spread(frequencies, table_bits,
           [&](size_t token, size_t slot) { tokens[slot] = static_cast<uint8_t>(token); });
    std::array<unsigned, kMaxTokens> next = starts_;
    const unsigned states = 1u << table_bits;
    for (unsigned slot = 0; slot < states; ++slot)
      states_[next[tokens[slot]]++] = static_cast<uint16_t>(states + slot);
  }

  // Some state from which `token` comes out.
  unsigned first_state(uint8_t token) const { return states_[starts_[token]]; }
  // How many low bits of the state go out before `token` goes in.
  unsigned bits(unsigned state, uint8_t token) const {
    const unsigned most = table_bits_ + 1 - bit_width(frequencies_[token]);
    return (state >> most) < frequencies_[token] ? most - 1 : most;
  }
  unsigned next(unsigned state, uint8_t token, unsigned bits) const {
    return states_[starts_[token] + (state >> bits) - frequencies_[token]];
  }

 private:
  unsigned table_bits_;
  std::array<uint16_t, kMaxTokens> frequencies_{};
  std::array<unsigned, kMaxTokens> starts_{};
  std::array<uint16_t, kMaxStates> states_{};
};

// Columns have few shapes, and a table costs more to make than a column of some hundred tokens to
// read: each thread keeps those it used last, one of each hash, 1 MiB at most.
const DecodeTable& table_of(const TokenShape& shape) {
  struct Slot {
    uint32_t key = 0;  // 0: empty, as no alphabet is
    std::unique_ptr<DecodeTable> table;
  };
  constexpr size_t kSlots = 256;
  thread_local std::vector<Slot> slots(kSlots);
  const uint32_t key = uint32_t{shape.tokens} << 16 | uint32_t{shape.table_bits} << 8 | shape.shape;
  Slot& slot = slots[(key * 0x9E3779B1u) >> 24];
  if (slot.key == key) return *slot.table;
  std::array<uint16_t, kMaxTokens> room{};
  const std::span frequencies(room.data(), shape.tokens);
  token_frequencies(shape.shape, shape.table_bits, frequencies);
  slot.table = std::make_unique<DecodeTable>(frequencies, shape.table_bits);
  slot.key = key;
  return *slot.table;
}

// What one step reads: `bits` low bits.
struct Piece {
  uint16_t value = 0;
  uint8_t bits = 0;
};

void write_pieces(std::span<const Piece> pieces, std::string& out) {
  uint64_t word = 0;
  unsigned used = 0;
  for (const Piece& piece : pieces) {
    word |= uint64_t{piece.value} << used;
    used += piece.bits;
    for (; used >= 8; used -= 8) {
      out.push_back(static_cast<char>(word));
      word >>= 8;
    }
  }
  if (used > 0) out.push_back(static_cast<char>(word));
}

// The bytes with zeros behind them, so that no read needs to ask.
class PaddedBytes {
 public:
  static constexpr size_t kPad = 16;

  explicit PaddedBytes(std::string_view bytes)
      : words_((bytes.size() + kPad + 7) / 8), end_bit_(bytes.size() * 8) {
    char* to = reinterpret_cast<char*>(words_.words().data());
    std::memcpy(to, bytes.data(), bytes.size());
    std::memset(to + bytes.size(), 0, kPad);
    bytes_ = to;
  }
  // At least 57 bits from there on; `bit` must not lie behind the end.
  uint64_t at(size_t bit) const { return load_word(bytes_ + (bit >> 3)) >> (bit & 7); }
  size_t end_bit() const { return end_bit_; }

 private:
  IntegerScratch words_;
  const char* bytes_ = nullptr;
  size_t end_bit_;
};

inline uint64_t low_bits(uint64_t word, unsigned bits) {
  return word & ((uint64_t{1} << bits) - 1);
}

// Reads the tokens; the bit behind the last piece that counts comes back, or nothing when the bytes
// end before. What the last step of a lane reads is not there.
template <size_t kLanes>
bool decode_lanes(const PaddedBytes& bytes, const DecodeTable& table, unsigned table_bits,
                  unsigned shift, std::span<uint64_t> out) {
  constexpr size_t kGroup = 4;  // 4 pieces of up to 10 bits in one load
  size_t state[kLanes];
  size_t bit = 0;
  for (size_t lane = 0; lane < kLanes; ++lane, bit += table_bits)
    state[lane] = low_bits(bytes.at(0) >> (lane * table_bits), table_bits);
  const size_t steady = out.size() - kLanes;
  size_t i = 0;
  for (; i + kGroup <= steady; i += kGroup) {
    if (bit > bytes.end_bit()) return false;
    uint64_t word = bytes.at(bit);
    for (size_t n = 0; n < kGroup; ++n) {
      const DecodeEntry entry = table[state[n % kLanes]];
      out[i + n] = uint64_t{entry.token} << shift;
      state[n % kLanes] = entry.base + low_bits(word, entry.bits);
      word >>= entry.bits;
      bit += entry.bits;
    }
  }
  for (; i < out.size(); ++i) {
    if (bit > bytes.end_bit()) return false;
    const DecodeEntry entry = table[state[i % kLanes]];
    out[i] = uint64_t{entry.token} << shift;
    if (i >= steady) continue;
    state[i % kLanes] = entry.base + low_bits(bytes.at(bit), entry.bits);
    bit += entry.bits;
  }
  return (bit + 7) / 8 * 8 == bytes.end_bit();
}

}  // namespace

void encode_tokens(std::span<const uint8_t> tokens, std::span<const uint16_t> frequencies,
                   unsigned table_bits, std::string& out) {
  const size_t lanes = lanes_for(table_bits);
  CHECK(tokens.size() >= lanes);
  const auto table = std::make_unique<EncodeTable>(frequencies, table_bits);
  // Tokens go in from the last to the first, and come out again in order.
  std::vector<Piece> pieces(tokens.size());
  unsigned state[kLanesOfLong] = {};
  for (size_t n = 0; n < tokens.size(); ++n) {
    const size_t i = tokens.size() - 1 - n;
    unsigned& own = state[i % lanes];
    if (n < lanes) {
      own = table->first_state(tokens[i]);
      continue;
    }
    const unsigned bits = table->bits(own, tokens[i]);
    // Stands behind the states, in the order of reading.
    pieces[i + lanes] = {static_cast<uint16_t>(low_bits(own, bits)), static_cast<uint8_t>(bits)};
    own = table->next(own, tokens[i], bits);
  }
  const unsigned states = 1u << table_bits;
  for (size_t lane = 0; lane < lanes; ++lane)
    pieces[lane] = {static_cast<uint16_t>(state[lane] - states), static_cast<uint8_t>(table_bits)};
  write_pieces(pieces, out);
}

bool decode_tokens(std::string_view bytes, const TokenShape& shape, unsigned shift,
                   std::span<uint64_t> out) {
  const unsigned table_bits = shape.table_bits;
  if (out.size() < lanes_for(table_bits)) return false;
  const DecodeTable& table = table_of(shape);
  const PaddedBytes padded(bytes);
  return lanes_for(table_bits) == kLanesOfLong
             ? decode_lanes<kLanesOfLong>(padded, table, table_bits, shift, out)
             : decode_lanes<kLanesOfShort>(padded, table, table_bits, shift, out);
}

}  // namespace binnacle::store::metrics
