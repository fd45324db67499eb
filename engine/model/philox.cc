#include "engine/model/philox.h"

namespace binnacle::engine {
namespace {

constexpr int kRounds = 10;
constexpr uint64_t kMultiplier0 = 0xD251'1F53;
constexpr uint64_t kMultiplier1 = 0xCD9E'8D57;
constexpr uint32_t kWeyl0 = 0x9E37'79B9;
constexpr uint32_t kWeyl1 = 0xBB67'AE85;

uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }
uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1),
               high(product0) ^ counter[3] ^ key[1], low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

double philox_unit(uint64_t seed, uint64_t position) {
  const auto bits = philox({low(position), high(position), 0, 0}, {low(seed), high(seed)});
  const uint64_t wide = (uint64_t{bits[1]} << 32) | bits[0];
  return static_cast<double>(wide >> 11) * 0x1.0p-53;
}

}  // namespace binnacle::engine
