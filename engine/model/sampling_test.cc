#include "engine/model/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/model/philox.h"

namespace binnacle::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<float> kLogits = {1.0F, 3.0F, -1.0F, 2.0F, 3.0F, 0.0F};

TEST(Philox, AgreesWithThePublishedVectors) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  const uint32_t ones = 0xffffffff;
  EXPECT_THAT(philox({ones, ones, ones, ones}, {ones, ones}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Sampling, GreedyTakesTheLowestIdOfEquals) {
  Sampling greedy;
  greedy.temperature = 0;
  greedy.top_logprobs = 3;
  const auto choice = choose_token(kLogits, greedy, 0);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->token, 1);
  ASSERT_EQ(choice->top.size(), 3U);
  EXPECT_EQ(choice->top[0].first, 1);
  EXPECT_EQ(choice->top[1].first, 4);
  EXPECT_EQ(choice->top[2].first, 3);
  double sum = 0;
  for (const float logit : kLogits) sum += std::exp(logit);
  EXPECT_NEAR(choice->logprob, 3 - std::log(sum), 1e-6);
  EXPECT_FLOAT_EQ(choice->top[2].second, static_cast<float>(2 - std::log(sum)));
}

TEST(Sampling, BiasAndForbiddenMoveTheChoiceAndNotTheLogprob) {
  Sampling greedy;
  greedy.temperature = 0;
  greedy.forbidden = {1};
  EXPECT_EQ(choose_token(kLogits, greedy, 0)->token, 4);
  greedy.bias = {{2, 50.0F}};
  const auto choice = choose_token(kLogits, greedy, 0);
  EXPECT_EQ(choice->token, 2);
  EXPECT_LT(choice->logprob, -4);
}

// Draws at 20,000 positions against the weights that each token should have: chi-square at 1 in
// 10,000 for that many kinds, fixed seeds.
double chi_square(const Sampling& sampling, const std::vector<double>& expected) {
  constexpr int kDraws = 20'000;
  std::vector<int> seen(expected.size());
  for (int i = 0; i < kDraws; ++i) {
    ++seen[static_cast<size_t>(choose_token(kLogits, sampling, i)->token)];
  }
  double total = 0;
  for (const double weight : expected) total += weight;
  double out = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(seen[i], 0) << "token " << i << " was cut";
      continue;
    }
    const double mean = kDraws * expected[i] / total;
    out += (seen[i] - mean) * (seen[i] - mean) / mean;
  }
  return out;
}

std::vector<double> weights(double temperature) {
  std::vector<double> out;
  for (const float logit : kLogits) out.push_back(std::exp(logit / temperature));
  return out;
}

TEST(Sampling, DrawsFollowTheDistribution) {
  for (const float temperature : {0.5F, 1.0F, 2.0F}) {
    Sampling sampling;
    sampling.temperature = temperature;
    sampling.seed = 42;
    EXPECT_LT(chi_square(sampling, weights(temperature)), 25.7) << temperature;  // 5 degrees
  }
}

TEST(Sampling, CutsKeepWhatTheyShould) {
  const auto all = weights(1);
  Sampling top_k;
  top_k.seed = 1;
  top_k.top_k = 3;
  EXPECT_LT(chi_square(top_k, {0, all[1], 0, all[3], all[4], 0}), 18.4);  // 2 degrees
  Sampling top_p;
  top_p.seed = 2;
  top_p.top_p = 0.8F;  // 1 and 4 have 0.79 of all, so that 3 is needed
  EXPECT_LT(chi_square(top_p, {0, all[1], 0, all[3], all[4], 0}), 18.4);
  top_p.top_p = 0.5F;
  EXPECT_LT(chi_square(top_p, {0, all[1], 0, 0, all[4], 0}), 15.1);  // 1 degree
  top_p.top_p = 0.001F;
  EXPECT_EQ(choose_token(kLogits, top_p, 5)->token, 1);
  Sampling min_p;
  min_p.seed = 3;
  min_p.min_p = 0.3F;  // exp(-1) = 0.37 stays, exp(-2) = 0.14 goes
  EXPECT_LT(chi_square(min_p, {0, all[1], 0, all[3], all[4], 0}), 18.4);
}

TEST(Sampling, WideVocabularyIsCutAsANarrowOne) {
  std::vector<float> logits(5000, 0.0F);
  Sampling sampling;
  sampling.top_p = 0.5F;
  sampling.seed = 9;
  for (int i = 0; i < 200; ++i) EXPECT_LT(choose_token(logits, sampling, i)->token, 2500);
  sampling.top_p = 1;
  int upper = 0;
  for (int i = 0; i < 200; ++i) upper += choose_token(logits, sampling, i)->token >= 2500 ? 1 : 0;
  EXPECT_NEAR(upper, 100, 35);
}

TEST(Sampling, DependsOnSeedAndPositionAlone) {
  Sampling sampling;
  sampling.temperature = 1.5F;
  sampling.seed = 77;
  std::vector<int32_t> first;
  for (int i = 0; i < 64; ++i) first.push_back(choose_token(kLogits, sampling, i)->token);
  for (int i = 63; i >= 0; --i) {
    EXPECT_EQ(choose_token(kLogits, sampling, i)->token, first[static_cast<size_t>(i)]);
  }
  sampling.seed = 78;
  std::vector<int32_t> second;
  for (int i = 0; i < 64; ++i) second.push_back(choose_token(kLogits, sampling, i)->token);
  EXPECT_NE(first, second);
}

TEST(Sampling, NanAndInfinityAreDataLoss) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> logits = kLogits;
    logits[2] = bad;
    for (const float temperature : {0.0F, 1.0F}) {
      Sampling sampling;
      sampling.temperature = temperature;
      const auto choice = choose_token(logits, sampling, 0);
      ASSERT_FALSE(choice);
      EXPECT_EQ(choice.error().code, Code::kDataLoss);
      EXPECT_THAT(choice.error().message, HasSubstr("token 2"));
    }
  }
}

TEST(Sampling, MaskedLogitsAreNeverChosen) {
  std::vector<float> logits(6, -std::numeric_limits<float>::infinity());
  Sampling sampling;
  EXPECT_EQ(choose_token(logits, sampling, 0).error().code, Code::kFailedPrecondition);
  logits[4] = -3;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(choose_token(logits, sampling, i)->token, 4);
}

TEST(Sampling, SmallestTemperatureIsGreedy) {
  Sampling sampling;
  sampling.temperature = 1e-30F;
  sampling.forbidden = {4};
  for (int i = 0; i < 50; ++i) EXPECT_EQ(choose_token(kLogits, sampling, i)->token, 1);
}

TEST(Sampling, RefusedValuesAreNamed) {
  const auto message = [](auto change) {
    Sampling sampling;
    change(sampling);
    const auto checked = check_sampling(sampling, 6);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(message([](Sampling&) {}), "");
  EXPECT_EQ(message([](Sampling& s) { s.temperature = -1; }),
            "temperature is -1: must be 0 to 100");
  EXPECT_EQ(message([](Sampling& s) { s.temperature = std::nanf(""); }),
            "temperature is nan: must be 0 to 100");
  EXPECT_EQ(message([](Sampling& s) { s.top_p = 0; }), "top_p is 0: must be above 0 and at most 1");
  EXPECT_EQ(message([](Sampling& s) { s.top_p = 1.5; }),
            "top_p is 1.5: must be above 0 and at most 1");
  EXPECT_EQ(message([](Sampling& s) { s.top_k = -1; }),
            "top_k is -1: must be 0 (all tokens) or more");
  EXPECT_EQ(message([](Sampling& s) { s.min_p = 1; }), "min_p is 1: must be 0 or more and below 1");
  EXPECT_EQ(message([](Sampling& s) { s.top_logprobs = 21; }),
            "top_logprobs is 21: must be 0 to 20");
  EXPECT_EQ(message([](Sampling& s) {
              s.bias = {{6, 1.0F}};
            }),
            "logit_bias names token 6: must be 0 to 5");
  EXPECT_EQ(message([](Sampling& s) {
              s.bias = {{5, 101.0F}};
            }),
            "logit_bias of token 5 is 101: must be -100 to 100");
  EXPECT_THAT(message([](Sampling& s) { s.forbidden = {-1}; }), HasSubstr("names token -1"));
}

}  // namespace
}  // namespace binnacle::engine
