// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
// (SC 2011): a random number is a function of key and counter, with no state to carry along. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace binnacle::engine {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Even over [0, 1), 53 bits: of a seed and a position.
double philox_unit(uint64_t seed, uint64_t position);

}  // namespace binnacle::engine
