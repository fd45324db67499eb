#include "engine/train/adam_w.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace binnacle::engine {
namespace {

TEST(AdamWTest, RateWarmsUpThenFallsByHalfACosine) {
  OptimizerSettings s;
  s.learning_rate = 1;
  s.warm_up_steps = 10;
  s.last_rate_ratio = 0.1;
  EXPECT_NEAR(learning_rate(s, 0, 110), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(s, 9, 110), 1, 1e-12);
  EXPECT_NEAR(learning_rate(s, 10, 110), 1, 1e-12);
  EXPECT_NEAR(learning_rate(s, 60, 110), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(s, 110, 110), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(s, 500, 110), 0.1, 1e-12);
}

// The paper's algorithm 2, a number at a time in double.
struct Naive {
  double p = 0, m = 0, v = 0;
  void update(double g, double rate, double decay, const OptimizerSettings& s, int t) {
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g * g;
    const double whole_m = m / (1 - std::pow(s.beta1, t));
    const double whole_v = v / (1 - std::pow(s.beta2, t));
    p -= rate * (whole_m / (std::sqrt(whole_v) + s.epsilon) + decay * p);
  }
};

TEST(AdamWTest, AgreesWithThePaper) {
  OptimizerSettings s;
  const std::vector<ParameterRange> ranges{{"matrix", {3, 4}, 0, 12}, {"norm", {5}, 16, 5}};
  AdamW adam(s, ranges, 32);
  std::vector<float> p(32);
  std::vector<float> g(32);
  std::vector<Naive> naive(32);
  SeededRandom random(1);
  for (size_t i = 0; i < p.size(); ++i) naive[i].p = p[i] = static_cast<float>(random.unit());
  const std::vector<float> first = p;
  for (int t = 1; t <= 20; ++t) {
    for (float& one : g) one = static_cast<float>(random.unit() - 0.5);
    adam.update(p, g, 0.5, 0.01, t - 1);
    for (const ParameterRange& range : ranges) {
      for (int64_t j = range.offset; j < range.offset + range.size; ++j) {
        const auto i = static_cast<size_t>(j);
        naive[i].update(0.5 * g[i], 0.01, range.shape.size() > 1 ? s.weight_decay : 0, s, t);
      }
    }
  }
  for (const ParameterRange& range : ranges) {
    for (int64_t j = range.offset; j < range.offset + range.size; ++j) {
      EXPECT_NEAR(p[static_cast<size_t>(j)], naive[static_cast<size_t>(j)].p, 1e-5) << j;
    }
  }
  EXPECT_EQ(p[13], first[13]);  // between the tensors
}

TEST(AdamWTest, LengthSeesWhatIsNoNumber) {
  std::vector<float> values(19, 2);
  EXPECT_DOUBLE_EQ(length_of(values), std::sqrt(76.0));
  values[17] = NAN;
  EXPECT_TRUE(std::isnan(length_of(values)));
}

}  // namespace
}  // namespace binnacle::engine
