#include "base/random.h"

#include "base/check.h"

#include <sys/random.h>
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace binnacle {
namespace {

// splitmix64 (Steele, Lea and Flood 2014): spreads a small seed over the whole state.
uint64_t split_mix(uint64_t& state) {
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

// The remainder alone would favour small numbers: draws from the last, incomplete round are thrown
// away.
uint64_t Random::below(uint64_t bound) {
  CHECK(bound > 0);
  const uint64_t incomplete = (0 - bound) % bound;  // 2^64 mod bound
  for (;;) {
    const uint64_t drawn = next();
    if (drawn >= incomplete) return drawn % bound;
  }
}

double Random::unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

void SystemRandom::fill(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      CHECK(errno == EINTR);  // the only failure left on a kernel that has the call
      continue;
    }
    out = out.subspan(static_cast<size_t>(got));
  }
}

uint64_t SystemRandom::next() {
  std::array<char, sizeof(uint64_t)> bytes;
  fill(bytes);
  return std::bit_cast<uint64_t>(bytes);
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) word = split_mix(seed);
}

void SeededRandom::fill(std::span<char> out) {
  while (!out.empty()) {
    const uint64_t word = next();
    const size_t part = std::min(out.size(), sizeof(word));
    std::memcpy(out.data(), &word, part);
    out = out.subspan(part);
  }
}

uint64_t SeededRandom::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string secure_random_hex(size_t bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string raw(bytes, '\0');
  SystemRandom().fill(raw);
  std::string hex;
  hex.reserve(2 * bytes);
  for (const char c : raw) {
    hex += kHex[static_cast<unsigned char>(c) >> 4];
    hex += kHex[static_cast<unsigned char>(c) & 0xF];
  }
  return hex;
}

}  // namespace binnacle
