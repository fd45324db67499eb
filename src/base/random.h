// Randomness comes in through a constructor: the kernel's in production, a seeded one in tests.
// SystemRandom may be used from any thread; a SeededRandom belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace binnacle {

class Random {
 public:
  virtual ~Random() = default;

  virtual void fill(std::span<char> out) = 0;
  virtual uint64_t next() = 0;  // all 64 bits are random

  uint64_t below(uint64_t bound);  // even over 0 .. bound - 1; bound > 0
  double unit();                   // even over [0, 1), 53 bits
};

// getrandom(2): fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  void fill(std::span<char> out) override;
  uint64_t next() override;
};

// xoshiro256** (Blackman and Vigna 2018): the same numbers for the same seed, on every machine.
// Never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  void fill(std::span<char> out) override;
  uint64_t next() override;

 private:
  std::array<uint64_t, 4> state_;
};

// `bytes` bytes of the kernel's randomness in lower-case hex: for keys, tokens and ids nobody may
// guess.
std::string secure_random_hex(size_t bytes);

}  // namespace binnacle
