#include "engine/model/expert_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace binnacle::engine {
namespace {

struct Expert {
  explicit Expert(float value) : numbers(12, value) {
    const auto matrix = [&](size_t at) {
      return Matrix{reinterpret_cast<const std::byte*>(numbers.data() + at), NumberType::kFloat32,
                    2, 2};
    };
    weights = {matrix(0), matrix(4), matrix(8)};
  }
  std::vector<float> numbers;
  FeedForward weights;
};

float first_of(const Matrix& matrix) {
  float value = 0;
  std::memcpy(&value, matrix.weights, sizeof value);
  return value;
}

TEST(ExpertCache, KeepsTheLastUsedWithinItsBytes) {
  std::vector<Expert> experts;
  for (int e = 0; e < 4; ++e) experts.emplace_back(static_cast<float>(e));
  ExpertCache cache(100);  // two of 48 bytes
  const auto get = [&](int32_t layer, int32_t expert) {
    const Expert& mapped = experts.at(static_cast<size_t>(expert));
    const FeedForward& held = cache.get(layer, expert, mapped.weights);
    EXPECT_NE(held.gate.weights, mapped.weights.gate.weights);
    EXPECT_EQ(first_of(held.gate), static_cast<float>(expert));
    EXPECT_EQ(first_of(held.down), static_cast<float>(expert));
    EXPECT_LE(cache.bytes_held(), 100);
  };
  get(0, 1);
  get(0, 2);
  get(0, 1);
  EXPECT_EQ(cache.hits(), 1);
  get(0, 3);  // 2 goes, as it was used before 1
  get(0, 1);
  EXPECT_EQ(cache.hits(), 2);
  get(0, 2);
  get(1, 2);  // of another layer: another expert
  EXPECT_EQ(cache.hits(), 2);
  EXPECT_EQ(cache.misses(), 5);
  EXPECT_EQ(cache.bytes_held(), 96);
}

}  // namespace
}  // namespace binnacle::engine
