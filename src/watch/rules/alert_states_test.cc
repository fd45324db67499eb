#include "watch/rules/alert_states.h"

#include <gtest/gtest.h>

namespace binnacle::watch::rules {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kStart = 1'700'000'000'000;

class AlertStatesTest : public testing::Test {
 protected:
  // The state after a step in which the expression has the labels, or has nothing.
  std::string step(int64_t minute, bool present) {
    std::vector<AlertElement> elements;
    if (present) elements.push_back({labels_, {}, 1});
    const auto stepped = states_.step(kStart + minute * kMinute, times_, std::move(elements));
    EXPECT_TRUE(stepped) << stepped.error().message;
    std::string out(alert_state_name(states_.highest()));
    if (states_.size() == 0) out = "gone";
    return out;
  }
  std::optional<ActiveAlert> sent(int64_t minute) {
    const int64_t now_ms = kStart + minute * kMinute;
    const auto due = states_.due(now_ms, kMinute);
    if (due.empty()) return std::nullopt;
    states_.sent(due[0], now_ms, now_ms + 4 * kMinute);
    return due[0];
  }

  const model::Labels labels_{{"alertname", "Down"}, {"instance", "a"}};
  AlertStates::Times times_{.for_ms = 2 * kMinute};
  AlertStates states_;
};

TEST_F(AlertStatesTest, PendingThenFiringThenResolvedThenForgotten) {
  EXPECT_EQ(step(0, true), "pending");
  EXPECT_EQ(step(1, true), "pending");
  EXPECT_FALSE(sent(1));
  EXPECT_EQ(step(2, true), "firing");
  const auto first = sent(2);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fired_at_ms, kStart + 2 * kMinute);
  EXPECT_EQ(first->active_at_ms, kStart);
  EXPECT_EQ(step(3, false), "inactive");
  const auto resolved = sent(3);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->resolved_at_ms, kStart + 3 * kMinute);
  EXPECT_EQ(step(18, false), "inactive");
  EXPECT_EQ(step(19, false), "gone");
}

TEST_F(AlertStatesTest, APendingAlertThatEndsIsForgottenAtOnce) {
  EXPECT_EQ(step(0, true), "pending");
  EXPECT_EQ(step(1, false), "gone");
  EXPECT_EQ(step(2, true), "pending");
  EXPECT_EQ(states_.changes()[0].now->active_at_ms, kStart + 2 * kMinute);
}

TEST_F(AlertStatesTest, FiringIsToldAgainOnceTheDelayIsOver) {
  times_.for_ms = 0;
  EXPECT_EQ(step(0, true), "firing");
  EXPECT_TRUE(sent(0));
  EXPECT_FALSE(sent(1));  // exactly the delay: not yet
  EXPECT_TRUE(sent(2));
}

TEST_F(AlertStatesTest, KeepFiringForHoldsItUp) {
  times_ = {.for_ms = 0, .keep_firing_for_ms = 5 * kMinute};
  EXPECT_EQ(step(0, true), "firing");
  EXPECT_EQ(step(1, false), "firing");
  EXPECT_EQ(step(5, false), "firing");
  EXPECT_EQ(step(6, false), "inactive");
}

TEST_F(AlertStatesTest, KeepFiringForStartsAnewWhenTheAlertIsBack) {
  times_ = {.for_ms = 0, .keep_firing_for_ms = 5 * kMinute};
  step(0, true);
  step(1, false);
  step(4, true);
  step(5, false);
  EXPECT_EQ(step(9, false), "firing");
  EXPECT_EQ(step(10, false), "inactive");
}

TEST_F(AlertStatesTest, ALongerForPutsAFiringAlertBack) {
  times_.for_ms = 0;
  EXPECT_EQ(step(0, true), "firing");
  ASSERT_TRUE(sent(0));
  times_.for_ms = 10 * kMinute;
  EXPECT_EQ(step(1, true), "pending");
  EXPECT_FALSE(sent(1));
}

TEST_F(AlertStatesTest, AResolvedAlertThatComesBackIsANewOne) {
  times_.for_ms = 0;
  step(0, true);
  step(1, false);
  EXPECT_EQ(step(2, true), "firing");
  EXPECT_EQ(states_.due(kStart + 2 * kMinute, kMinute)[0].resolved_at_ms, 0);
}

TEST_F(AlertStatesTest, EqualLabelsAreRefusedAndChangeNothing) {
  EXPECT_EQ(step(0, true), "pending");
  const auto stepped = states_.step(kStart + kMinute, times_, {{labels_, {}, 1}, {labels_, {}, 2}});
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().code, Code::kAlreadyExists);
  EXPECT_EQ(states_.size(), 1u);
}

TEST_F(AlertStatesTest, MoreThanTheLimitForgetsAll) {
  times_.limit = 1;
  const model::Labels other{{"alertname", "Down"}, {"instance", "b"}};
  const auto stepped = states_.step(kStart, times_, {{labels_, {}, 1}, {other, {}, 1}});
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().message, "exceeded limit of 1 with 2 alerts");
  EXPECT_EQ(states_.size(), 0u);
}

TEST_F(AlertStatesTest, OnlyWhatChangedIsToBeStored) {
  step(0, true);
  EXPECT_EQ(states_.changes().size(), 1u);
  states_.stored();
  step(1, true);
  EXPECT_TRUE(states_.changes().empty());  // still pending
  step(2, true);
  EXPECT_EQ(states_.changes().size(), 1u);
  states_.stored();
  times_.for_ms = 100 * kMinute;
  step(3, true);
  step(4, false);
  const auto gone = states_.changes();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_FALSE(gone[0].now);
}

}  // namespace
}  // namespace binnacle::watch::rules
