// What a read of the store holds, against what it may.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/read_budget.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

constexpr int kSeries = 6000;

class TestBudget final : public model::ReadBudget {
 public:
  Status charge_bytes(size_t bytes) override {
    held += bytes;
    peak = std::max(peak, held);
    if (held > most) return fail(Code::kResourceExhausted, "over");
    return check();
  }
  void release_bytes(size_t bytes) override {
    ASSERT_LE(bytes, held);
    held -= bytes;
  }
  Status check() const override {
    if (++looks > looks_until_gone) return fail(Code::kCancelled, "gone");
    return {};
  }

  size_t most = SIZE_MAX;
  mutable size_t looks = 0;
  size_t looks_until_gone = SIZE_MAX;
  size_t held = 0;
  size_t peak = 0;
};

// Where the samples lie.
enum class In { kHead, kBlock, kBoth };

class StoreBudgetTest : public testing::TestWithParam<In> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run_.open());
    if (GetParam() != In::kHead) {
      fill(0);
      ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
    }
    if (GetParam() != In::kBlock) fill(60'000);
  }

  void fill(int64_t at_ms) {
    const auto appender = run_.store->appender();
    for (int i = 0; i < kSeries; ++i) {
      const model::Labels labels{{"__name__", "up"}, {"pod", pod(i)}};
      ASSERT_TRUE(appender->append(model::kNoSeries, labels, {run_.start_ms + at_ms, 1}));
    }
    ASSERT_TRUE(appender->commit());
  }
  static std::string pod(int i) { return fmt::format("a-pod-with-a-long-name-{:06}", i); }
  std::unique_ptr<model::Querier> querier(TestBudget& budget) {
    auto made = *run_.store->querier(run_.start_ms - 1000, run_.start_ms + 3'600'000);
    made->charge_to(budget);
    return made;
  }
  static size_t count(model::SeriesSet& set) {
    size_t found = 0;
    for (model::SeriesColumns columns; set.next(columns);) ++found;
    EXPECT_TRUE(set.status());
    return found;
  }

  StoreTestRun run_;
  const model::Matchers any_pod_ = {*model::Matcher::create(model::MatchOp::kRegex, "pod", ".+")};
};

TEST_P(StoreBudgetTest, WhatIsSelectedIsChargedAndGivenBack) {
  TestBudget budget;
  {
    const auto from = querier(budget);
    const auto set = *from->select(any_pod_, {});
    // Numbers of series at least; of the head their labels, too.
    EXPECT_GE(budget.held, kSeries * (GetParam() == In::kBlock ? 4u : 60u));
    EXPECT_EQ(count(*set), size_t{kSeries});
  }
  EXPECT_EQ(budget.held, 0u);
}

TEST_P(StoreBudgetTest, ASelectOverTheLimitEndsAndHoldsNothing) {
  TestBudget all;
  EXPECT_TRUE(querier(all)->select(any_pod_, {}));
  int refused = 0;
  for (size_t most = 1024; most < all.peak; most *= 2) {
    TestBudget budget;
    budget.most = most;
    const auto set = querier(budget)->select(any_pod_, {});
    ASSERT_FALSE(set) << most;
    EXPECT_EQ(set.error().code, Code::kResourceExhausted);
    EXPECT_EQ(budget.held, 0u);
    ++refused;
  }
  EXPECT_GT(refused, 3);
}

TEST_P(StoreBudgetTest, ASelectWhoseCallerLeftEndsAtTheNextLook) {
  TestBudget all;
  EXPECT_TRUE(querier(all)->select(any_pod_, {}));
  EXPECT_GT(all.looks, size_t{kSeries} / 2048);
  for (size_t looks = 0; looks < all.looks; ++looks) {
    TestBudget budget;
    budget.looks_until_gone = looks;
    const auto set = querier(budget)->select(any_pod_, {});
    ASSERT_FALSE(set) << looks;
    EXPECT_EQ(set.error().code, Code::kCancelled);
    EXPECT_EQ(budget.looks, looks + 1);
    EXPECT_EQ(budget.held, 0u);
  }
}

TEST_P(StoreBudgetTest, FewValuesOfManyHoldLittle) {
  for (const auto& matchers : {model::Matchers{}, any_pod_}) {
    TestBudget budget;
    const auto all = querier(budget)->label_values("pod", matchers, 0);
    ASSERT_EQ(all->size(), size_t{kSeries});
    EXPECT_TRUE(std::ranges::is_sorted(*all));
    EXPECT_GE(budget.peak, kSeries * pod(0).size());
    EXPECT_EQ(budget.held, 0u);
    for (const size_t limit : {size_t{1}, size_t{3}, size_t{500}, size_t{5999}, size_t{7000}}) {
      const auto some = querier(budget)->label_values("pod", matchers, limit);
      ASSERT_EQ(*some, std::vector(all->begin(), all->begin() + std::min(limit, all->size())));
    }
  }
  TestBudget few;
  ASSERT_TRUE(querier(few)->label_values("pod", {}, 10));
  EXPECT_LT(few.peak, 20'000u);
}

TEST_P(StoreBudgetTest, LabelsEndToo) {
  TestBudget budget;
  budget.looks_until_gone = 0;
  EXPECT_EQ(querier(budget)->label_names(any_pod_, 0).error().code, Code::kCancelled);
  EXPECT_EQ(querier(budget)->label_values("pod", {}, 0).error().code, Code::kCancelled);
  TestBudget small;
  small.most = 10'000;
  EXPECT_EQ(querier(small)->label_values("pod", {}, 0).error().code, Code::kResourceExhausted);
  EXPECT_EQ(small.held, 0u);
}

INSTANTIATE_TEST_SUITE_P(Places, StoreBudgetTest,
                         testing::Values(In::kHead, In::kBlock, In::kBoth));

}  // namespace
}  // namespace binnacle::store::metrics
