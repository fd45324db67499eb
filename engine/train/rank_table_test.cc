#include "engine/train/rank_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::engine {
namespace {

using testing::HasSubstr;

Contribution of_rank(uint32_t rank, uint64_t number) {
  return {.kind = ExchangeKind::kAverage,
          .rank = rank,
          .number = number,
          .fingerprint = 9,
          .report = {},
          .values = {static_cast<float>(rank)}};
}

struct Told {
  Result<std::shared_ptr<const std::string>> result = nullptr;
  int times = 0;
  RankTable::Answer answer() {
    return [this](const Result<std::shared_ptr<const std::string>>& r) {
      result = r;
      ++times;
    };
  }
};

TEST(RankTable, HandsOutByRankAndAnswersAll) {
  const SystemClock clock;
  RankTable table(3, 9, clock);
  Told one;
  Told two;
  table.put(of_rank(2, 5), two.answer());
  table.put(of_rank(1, 5), one.answer());
  const auto all = table.gather(ExchangeKind::kAverage, 5, 1'000);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2);
  EXPECT_EQ((*all)[0].rank, 1);
  EXPECT_EQ((*all)[1].rank, 2);
  table.answer(std::make_shared<const std::string>("mean"));
  EXPECT_EQ(**one.result, "mean");
  EXPECT_EQ(**two.result, "mean");
  EXPECT_EQ(two.times, 1);
}

TEST(RankTable, NamesTheRankThatDidNotComeAndItsLastStep) {
  const SystemClock clock;
  RankTable table(4, 9, clock);
  Told told;
  for (uint32_t rank = 1; rank < 3; ++rank) table.put(of_rank(rank, 7), told.answer());
  table.withdraw(2);
  const auto all = table.gather(ExchangeKind::kAverage, 7, 20);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, Code::kUnavailable);
  EXPECT_THAT(all.error().message, HasSubstr("rank 2 (last came to step 7), rank 3 (never came)"));
  ASSERT_EQ(told.times, 1);
  EXPECT_THAT(told.result.error().message, HasSubstr("rank 3 (never came)"));
}

TEST(RankTable, AnotherRunAnotherRankAndAnotherStepAreRefused) {
  const SystemClock clock;
  RankTable table(2, 9, clock);
  Told told;
  Contribution other = of_rank(1, 5);
  other.fingerprint = 8;
  table.put(other, told.answer());
  EXPECT_THAT(told.result.error().message, HasSubstr("other settings or texts"));
  table.put(of_rank(2, 5), told.answer());
  EXPECT_THAT(told.result.error().message, HasSubstr("no rank 2"));
  table.put(of_rank(1, 4), told.answer());
  const auto all = table.gather(ExchangeKind::kAverage, 5, 1'000);
  ASSERT_FALSE(all);
  EXPECT_THAT(all.error().message, HasSubstr("rank 1 is at step 4"));
  EXPECT_EQ(told.times, 3);
}

TEST(ExchangeMessage, ComesBackAsItWasSent) {
  Contribution sent = of_rank(3, 12);
  sent.report = {1.5, -2};
  const std::vector<float> values{1, 2, 3};
  const std::string bytes = encode_contribution(sent, values);
  const auto read = decode_contribution(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rank, 3);
  EXPECT_EQ(read->number, 12);
  EXPECT_EQ(read->report, sent.report);
  EXPECT_EQ(read->values, values);
}

TEST(ExchangeMessage, EveryFlippedByteAndCutIsSeen) {
  const std::vector<float> values{1, 2};
  const std::string bytes = encode_contribution(of_rank(1, 1), values);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x40);
    EXPECT_FALSE(decode_contribution(broken)) << i;
    EXPECT_FALSE(decode_contribution(bytes.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace binnacle::engine
