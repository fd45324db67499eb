#include "engine/model/kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"
#include "engine/model/bfloat16.h"
#include "engine/model/flush_denormals.h"
#include "engine/model/products.h"

namespace binnacle::engine {
namespace {

// The documented order of additions, one number at a time.
float in_order(std::span<const float> w, std::span<const float> x, bool fused) {
  std::array<float, 16> lanes = {};
  for (size_t i = 0; i < (w.size() + 15) / 16 * 16; ++i) {
    const float a = i < w.size() ? w[i] : 0;
    const float b = i < w.size() ? x[i] : 0;
    const float product = a * b;
    lanes[i % 16] = fused ? std::fma(a, b, lanes[i % 16]) : product + lanes[i % 16];
  }
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

struct Numbers {
  Numbers(SeededRandom& random, size_t count, NumberType type) : type(type) {
    for (size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(random.unit() - 0.5);
      const uint16_t half = to_bfloat16(value);
      values.push_back(type == NumberType::kFloat32 ? value : from_bfloat16(half));
      const auto* from = type == NumberType::kFloat32
                             ? reinterpret_cast<const std::byte*>(&values.back())
                             : reinterpret_cast<const std::byte*>(&half);
      bytes.insert(bytes.end(), from, from + (type == NumberType::kFloat32 ? 4 : 2));
    }
  }
  NumberType type;
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

void expect_in_order(const Kernels& kernels, SeededRandom& random, NumberType type) {
  const size_t out = 1 + random.below(11);
  const size_t in = 1 + random.below(70);
  const size_t rows = 1 + random.below(20);
  const Numbers weights(random, out * in, type);
  const Numbers x(random, rows * in, NumberType::kFloat32);
  std::vector<float> y(rows * out, -1);
  const Product product{
      {weights.bytes.data(), type, static_cast<int64_t>(out), static_cast<int64_t>(in)},
      x.values.data(),
      static_cast<int64_t>(in),
      static_cast<int64_t>(rows),
      y.data(),
      static_cast<int64_t>(out)};
  const auto cut = static_cast<int64_t>(random.below(out + 1));
  kernels.product(product, 0, cut);
  kernels.product(product, cut, static_cast<int64_t>(out));
  const bool fused = std::string_view(kernels.arithmetic).starts_with("fma");
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      const float expected = in_order(std::span(weights.values).subspan(o * in, in),
                                      std::span(x.values).subspan(r * in, in), fused);
      ASSERT_EQ(y[r * out + o], expected) << kernels.instructions << " row " << r << " of " << rows;
    }
  }
}

TEST(Kernels, ProductsAddInTheDocumentedOrder) {
  SeededRandom random(1);
  for (const Kernels* one : kernels()) {
    for (int round = 0; round < 200; ++round) {
      expect_in_order(*one, random, NumberType::kFloat32);
      expect_in_order(*one, random, NumberType::kBfloat16);
    }
  }
}

TEST(Kernels, TeamsChangeNoBit) {
  SeededRandom random(2);
  const Numbers weights(random, 700 * 96, NumberType::kFloat32);
  const Numbers x(random, 5 * 96, NumberType::kFloat32);
  const auto multiply_by = [&](int threads) {
    ThreadTeam team(threads);
    std::vector<float> y(5 * 700);
    const Product product{
        {weights.bytes.data(), weights.type, 700, 96}, x.values.data(), 96, 5, y.data(), 700};
    multiply(team, *kernels().front(), std::span(&product, 1));
    return y;
  };
  EXPECT_EQ(multiply_by(1), multiply_by(2));
  EXPECT_EQ(multiply_by(1), multiply_by(5));
}

TEST(Kernels, ExponentialsAreExactToOneInAMillion) {
  for (const Kernels* one : kernels()) {
    for (float score = -80; score < 0; score += 0.37F) {
      std::array<float, 2> x = {score, 0};
      one->softmax(x.data(), 2);
      const double expected = 1 / (1 + std::exp(-double{score}));
      EXPECT_NEAR(x[0] / expected, 1, 1e-6) << one->instructions << " " << score;
      EXPECT_NEAR(x[1], 1 - expected, 1e-6);
    }
  }
}

TEST(Kernels, NothingHidesANaN) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (const Kernels* one : kernels()) {
    std::vector<float> gate(20, 1);
    const std::vector<float> up(20, 1);
    gate[3] = gate[18] = kNaN;
    one->swiglu(gate.data(), up.data(), 20);
    EXPECT_TRUE(std::isnan(gate[3]) && std::isnan(gate[18]) && !std::isnan(gate[4]));
    std::vector<float> scores = {1, kNaN, 2};
    one->softmax(scores.data(), 3);
    EXPECT_TRUE(std::isnan(scores[0]) && std::isnan(scores[1]));
  }
}

TEST(Kernels, AreNamed) {
  EXPECT_EQ(kernels_named("").value(), kernels().front());
  EXPECT_EQ(kernels_named("portable").value(), kernels().back());
  const auto missing = kernels_named("avx9");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("portable"), std::string::npos);
  EXPECT_NE(kernel_name(*kernels().front(), NumberType::kFloat32),
            kernel_name(*kernels().front(), NumberType::kBfloat16));
}

TEST(FlushDenormals, OnlyWhileItLives) {
  volatile float tiny = std::numeric_limits<float>::denorm_min();
  {
    const FlushDenormals flush;
    EXPECT_EQ(tiny * 2, 0);
  }
  EXPECT_GT(tiny * 2, 0);
}

}  // namespace
}  // namespace binnacle::engine
