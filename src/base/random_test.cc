#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <vector>

namespace binnacle {
namespace {

// Gives the numbers it is told, to reach the edges.
class Scripted final : public Random {
 public:
  explicit Scripted(std::vector<uint64_t> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::span<char>) override {}
  uint64_t next() override { return numbers_.at(at_++); }

 private:
  const std::vector<uint64_t> numbers_;
  size_t at_ = 0;
};

TEST(SeededRandom, TheSeedDecides) {
  SeededRandom a(1);
  SeededRandom b(1);
  SeededRandom c(2);
  std::set<uint64_t> all;
  for (int i = 0; i < 100; ++i) {
    const uint64_t n = a.next();
    EXPECT_EQ(n, b.next());
    all.insert(n);
    all.insert(c.next());
  }
  EXPECT_EQ(all.size(), 200u);
}

TEST(SeededRandom, FillsTheSameBytesAndAllOfThem) {
  for (size_t size = 0; size < 40; ++size) {
    std::string a(size, '\0');
    std::string b(size, '\1');
    SeededRandom(3).fill(a);
    SeededRandom(3).fill(b);
    EXPECT_EQ(a, b);
  }
}

TEST(Random, BelowReachesEveryNumberAboutEquallyOften) {
  SeededRandom random(4);
  std::vector<int> counts(6);
  for (int i = 0; i < 60'000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);  // four standard deviations
}

TEST(Random, BelowThrowsAwayTheIncompleteRound) {
  // 2^64 mod 3 is 1: of all draws the first alone would make 0 more likely.
  EXPECT_EQ(Scripted({0, 5}).below(3), 2u);
  EXPECT_EQ(Scripted({1}).below(3), 1u);
  EXPECT_EQ(Scripted({0}).below(4), 0u) << "a power of two divides evenly";
  EXPECT_EQ(Scripted({0}).below(1), 0u);
}

TEST(Random, UnitIsBelowOne) {
  EXPECT_EQ(Scripted({0}).unit(), 0.0);
  const double highest = Scripted({std::numeric_limits<uint64_t>::max()}).unit();
  EXPECT_LT(highest, 1.0);
  EXPECT_GT(highest, 0.999999999);
}

TEST(SystemRandom, NeverRepeats) {
  SystemRandom random;
  std::set<uint64_t> all;
  for (int i = 0; i < 1000; ++i) all.insert(random.next());
  EXPECT_EQ(all.size(), 1000u);
}

TEST(SecureRandomHex, HasTwoLowerCaseDigitsAByte) {
  const std::string a = secure_random_hex(500);  // more than getrandom promises in one call
  EXPECT_EQ(a.size(), 1000u);
  EXPECT_TRUE(std::ranges::all_of(
      a, [](unsigned char c) { return std::isdigit(c) || (c >= 'a' && c <= 'f'); }));
  EXPECT_EQ(std::set<char>(a.begin(), a.end()).size(), 16u);
  EXPECT_NE(a, secure_random_hex(500));
  EXPECT_EQ(secure_random_hex(0), "");
}

}  // namespace
}  // namespace binnacle
