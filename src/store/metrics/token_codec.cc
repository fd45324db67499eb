#include "store/metrics/token_codec.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

// A state: the bits that are read at it, its token, and what the bits are added to for the next
// state; in one word, with the bits lowest, where shifts look for them.
class DecodeEntry {
 public:
  DecodeEntry() = default;
  DecodeEntry(unsigned bits, unsigned token, unsigned base)
      : word_(base << 16 | token << 8 | bits) {}
  unsigned bits() const { return word_ & 0xFF; }
  unsigned token() const { return word_ >> 8 & 0xFF; }
  unsigned base() const { return word_ >> 16; }
  uint32_t word() const { return word_; }

 private:
  uint32_t word_ = 0;
};

uint32_t key_of(const TokenShape& shape) {  // not 0, as no alphabet is
  return uint32_t{shape.tokens} << 16 | uint32_t{shape.table_bits} << 8 | shape.shape;
}

class DecodeTable {
 public:
  DecodeTable(std::span<const uint16_t> frequencies, const TokenShape& shape)
      : key_(key_of(shape)),
        entries_(std::make_unique<DecodeEntry[]>(size_t{1} << shape.table_bits)) {
    std::array<uint8_t, kMaxStates> tokens{};
    spread(frequencies, shape.table_bits,
           [&](size_t token, size_t slot) { tokens[slot] = static_cast<uint8_t>(token); });
    std::array<uint16_t, kMaxTokens> next{};
    std::copy(frequencies.begin(), frequencies.end(), next.begin());
    const unsigned states = 1u << shape.table_bits;
    for (unsigned state = 0; state < states; ++state) {
      const unsigned x = next[tokens[state]]++;
      const unsigned bits = shape.table_bits + 1 - bit_width(x);
      entries_[state] = {bits, tokens[state], (x << bits) - states};
    }
  }
  uint32_t key() const { return key_; }
  const DecodeEntry* entries() const { return entries_.get(); }

 private:
  const uint32_t key_;
  const std::unique_ptr<DecodeEntry[]> entries_;  // by state
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

std::unique_ptr<const DecodeTable> table_for(const TokenShape& shape) {
  std::array<uint16_t, kMaxTokens> room{};
  const std::span frequencies(room.data(), shape.tokens);
  token_frequencies(shape.shape, shape.table_bits, frequencies);
  return std::make_unique<DecodeTable>(frequencies, shape);
}

// The tables of the process, which stay: a table costs as much to make as a column of some thousand
// tokens to read, and a store's columns have about a thousand shapes. Up to 8 MiB. Any thread,
// without locks.
class SharedTables {
 public:
  // Null where there is no more room.
  const DecodeTable* find_or_make(const TokenShape& shape) {
    const uint32_t key = key_of(shape);
    std::unique_ptr<const DecodeTable> made;
    for (size_t i = 0; i < kProbes; ++i) {
      auto& slot = slots_[((key * 0x9E3779B1u >> (32 - kSlotBits)) + i) % slots_.size()];
      const DecodeTable* held = slot.load(std::memory_order_acquire);
      if (held == nullptr) {
        if (!made) made = table_for(shape);
        if (slot.compare_exchange_strong(held, made.get(), std::memory_order_acq_rel))
          return made.release();
      }
      if (held->key() == key) return held;
    }
    return nullptr;
  }

 private:
  static constexpr unsigned kSlotBits = 11;
  static constexpr size_t kProbes = 16;
  std::array<std::atomic<const DecodeTable*>, size_t{1} << kSlotBits> slots_{};
};

// Those that found no room: each thread keeps the one it used last.
const DecodeTable& table_of(const TokenShape& shape) {
  static SharedTables& shared = *new SharedTables;  // threads may outlive statics
  if (const DecodeTable* const found = shared.find_or_make(shape)) return *found;
  thread_local std::unique_ptr<const DecodeTable> own;
  if (own == nullptr || own->key() != key_of(shape)) own = table_for(shape);
  return *own;
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
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    std::memset(to + bytes.size(), 0, kPad);
    bytes_ = to;
  }
  // At least 57 bits from there on; `bit` must not lie behind the end.
  uint64_t at(size_t bit) const { return load_word(bytes_ + (bit >> 3)) >> (bit & 7); }
  size_t end_bit() const { return end_bit_; }
  const char* bytes() const { return bytes_; }

 private:
  IntegerScratch words_;
  const char* bytes_ = nullptr;
  size_t end_bit_;
};

// The next bits of the bytes in a word. What is loaded at a group's start was known to be wanted
// when the group before began, so that nobody waits for it.
class BitWindow {
 public:
  BitWindow(const PaddedBytes& bytes, size_t bit)
      : begin_(bytes.bytes()), at_(begin_ + bit / 8 + 1), have_(8 - bit % 8) {
    word_ = static_cast<uint8_t>(at_[-1]) >> bit % 8;
  }
  size_t bit() const { return static_cast<size_t>(at_ - begin_) * 8 - have_; }  // the next
  // At least 56 bits; the next one must not lie behind the end.
  uint64_t fill() {
    word_ |= load_word(at_) << have_;
    at_ += (63 - have_) >> 3;
    have_ |= 56;
    return word_;
  }
  // `bits` were taken of them, and `word` is left.
  void take(uint64_t word, uint64_t bits) {
    word_ = word;
    have_ -= bits;
  }

 private:
  const char* const begin_;
  const char* at_;
  uint64_t have_;  // bits of the word; those above may be there, and are set again
  uint64_t word_ = 0;
};

inline uint64_t low_bits(uint64_t word, unsigned bits) {
  return word & ((uint64_t{1} << bits) - 1);
}

// What is done with an entry's bits; the processor looks at the low bits of the word alone where it
// has instructions for that.
struct PlainBits {
  static uint64_t low(uint64_t word, DecodeEntry entry) { return low_bits(word, entry.bits()); }
  static uint64_t without(uint64_t word, DecodeEntry entry) { return word >> entry.bits(); }
};
#if defined(__x86_64__)
struct FastBits {
  [[gnu::target("bmi,bmi2")]] static uint64_t low(uint64_t word, DecodeEntry entry) {
    return _bzhi_u64(word, entry.word());
  }
  static uint64_t without(uint64_t word, DecodeEntry entry) { return word >> (entry.word() & 63); }
};
#endif

// Low bits of several tokens come with one load where they are few.
constexpr size_t kGroup = 4;  // 4 pieces of up to 10 bits in one load
constexpr unsigned kNarrowShift = 14;
enum class LowBits : uint8_t { kNone, kNarrow, kWide };

// The low bits of one token after the other.
template <LowBits kLow>
class LowReader {
 public:
  LowReader(const PaddedBytes& bytes, unsigned shift) : bytes_(bytes), shift_(shift) {}
  void begin_group() {
    if constexpr (kLow == LowBits::kNarrow) {
      word_ = bytes_.at(bit_);
      bit_ += kGroup * shift_;
    }
  }
  uint64_t next_in_group() {
    if constexpr (kLow != LowBits::kNarrow) return next();
    const uint64_t low = low_bits(word_, shift_);
    word_ >>= shift_;
    return low;
  }
  uint64_t next() {
    if constexpr (kLow == LowBits::kNone) return 0;
    const uint64_t low = low_bits(bytes_.at(bit_), shift_);
    bit_ += shift_;
    return low;
  }

 private:
  const PaddedBytes& bytes_;
  const unsigned shift_;
  size_t bit_ = 0;
  uint64_t word_ = 0;
};

struct LaneSource {
  const PaddedBytes& bytes;
  const PaddedBytes& low;
  const DecodeEntry* entries;
  unsigned table_bits;
  unsigned shift;
  const Summing& summing;
};

// Reads the tokens and what belongs to them in one go: the processor fills the time in which it
// waits for a state. False unless the bytes end where the tokens do. What the last step of a lane
// reads is not there.
template <size_t kLanes, unsigned kOrder, LowBits kLow, typename Bits>
[[gnu::always_inline]] inline bool decode_lanes(const LaneSource& from, std::span<uint64_t> out) {
  const PaddedBytes& bytes = from.bytes;
  LowReader<kLow> low(from.low, from.shift);
  RunningSum<kOrder> sum(from.summing);
  const DecodeEntry* const entries = from.entries;
  size_t state[kLanes];
  for (size_t lane = 0; lane < kLanes; ++lane)
    state[lane] = low_bits(bytes.at(0) >> (lane * from.table_bits), from.table_bits);
  BitWindow window(bytes, kLanes * from.table_bits);
  const size_t steady = out.size() - kLanes;
  size_t i = 0;
  for (; i + kGroup <= steady; i += kGroup) {
    if (window.bit() > bytes.end_bit()) return false;
    uint64_t word = window.fill();
    low.begin_group();
    uint32_t taken = 0;  // bits, in the lowest byte
    for (size_t n = 0; n < kGroup; ++n) {
      const DecodeEntry entry = entries[state[n % kLanes]];
      out[i + n] = sum.next((uint64_t{entry.token()} << from.shift) + low.next_in_group());
      state[n % kLanes] = entry.base() + Bits::low(word, entry);
      word = Bits::without(word, entry);
      taken += entry.word();
    }
    window.take(word, taken & 0xFF);
  }
  size_t bit = window.bit();
  for (; i < out.size(); ++i) {
    if (bit > bytes.end_bit()) return false;
    const DecodeEntry entry = entries[state[i % kLanes]];
    out[i] = sum.next((uint64_t{entry.token()} << from.shift) + low.next());
    if (i >= steady) continue;
    state[i % kLanes] = entry.base() + low_bits(bytes.at(bit), entry.bits());
    bit += entry.bits();
  }
  return (bit + 7) / 8 * 8 == bytes.end_bit();
}

template <size_t kLanes, unsigned kOrder, LowBits kLow>
bool decode_anywhere(const LaneSource& from, std::span<uint64_t> out) {
  return decode_lanes<kLanes, kOrder, kLow, PlainBits>(from, out);
}

// Shifts and masks by a variable number of bits are one instruction each there, not three.
#if defined(__x86_64__)
template <size_t kLanes, unsigned kOrder, LowBits kLow>
[[gnu::target("avx,avx2,bmi,bmi2")]] bool decode_with_bmi2(const LaneSource& from,
                                                           std::span<uint64_t> out) {
  return decode_lanes<kLanes, kOrder, kLow, FastBits>(from, out);
}
bool has_bmi2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                          __builtin_cpu_supports("bmi2");
  return has;
}
#endif

// All of the table at once; states come to its lines one by one.
void prefetch(const LaneSource& from) {
  constexpr size_t kLine = 64 / sizeof(DecodeEntry);
  const size_t states = size_t{1} << from.table_bits;
  for (size_t state = 0; state < states; state += kLine) __builtin_prefetch(from.entries + state);
}

template <unsigned kOrder, LowBits kLow>
bool decode_as(const LaneSource& from, std::span<uint64_t> out) {
  prefetch(from);
  if (lanes_for(from.table_bits) == kLanesOfShort)
    return decode_anywhere<kLanesOfShort, kOrder, kLow>(from, out);
#if defined(__x86_64__)
  if (has_bmi2()) return decode_with_bmi2<kLanesOfLong, kOrder, kLow>(from, out);
#endif
  return decode_anywhere<kLanesOfLong, kOrder, kLow>(from, out);
}

template <LowBits kLow>
bool decode_with(const LaneSource& from, std::span<uint64_t> out) {
  if (from.summing.order == 0) return decode_as<0, kLow>(from, out);
  return from.summing.order == 1 ? decode_as<1, kLow>(from, out) : decode_as<2, kLow>(from, out);
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

bool decode_tokens(std::string_view bytes, const TokenShape& shape, const TokenPlace& place,
                   std::span<uint64_t> out) {
  const unsigned table_bits = shape.table_bits;
  if (out.size() < lanes_for(table_bits)) return false;
  const bool low_bits = !place.low_bits.empty();
  CHECK(!low_bits || (place.shift <= kMaxFusedShift &&
                      place.low_bits.size() == packed_bytes(out.size(), place.shift)));
  const PaddedBytes tokens(bytes);
  const PaddedBytes low(place.low_bits);
  const LaneSource from{tokens,     low,         table_of(shape).entries(),
                        table_bits, place.shift, place.summing};
  if (!low_bits) return decode_with<LowBits::kNone>(from, out);
  return place.shift <= kNarrowShift ? decode_with<LowBits::kNarrow>(from, out)
                                     : decode_with<LowBits::kWide>(from, out);
}

}  // namespace binnacle::store::metrics
