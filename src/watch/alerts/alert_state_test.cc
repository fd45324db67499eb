// The rules of the parts: merging, limits, silences, what the log decides, retries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/alerts/alert_group.h"
#include "watch/alerts/alert_order.h"
#include "watch/alerts/alert_table.h"
#include "watch/alerts/deliveries.h"
#include "watch/alerts/notification_log.h"
#include "watch/alerts/silence_book.h"

namespace binnacle::watch::alerts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

model::Alert alert_of(std::string_view name, int64_t from, int64_t to) {
  return {.labels = model::Labels{{"alertname", name}}, .starts_at_ms = from, .ends_at_ms = to};
}

TEST(AlertTableTest, TimesThatAreNotSetAreFilledIn) {
  AlertTable table({});
  const auto stored = table.put(alert_of("a", 0, 0), 1000, 500);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->fired);
  const StoredAlert* found = table.find(stored->fingerprint);
  EXPECT_EQ(found->alert.starts_at_ms, 1000);
  EXPECT_EQ(found->alert.ends_at_ms, 1500);
  // A renewal moves the end; it changes no more than times.
  const auto again = table.put(alert_of("a", 0, 0), 1200, 500);
  EXPECT_FALSE(again->content_changed);
  EXPECT_FALSE(again->fired);
  EXPECT_EQ(found->alert.starts_at_ms, 1000);
  EXPECT_EQ(found->alert.ends_at_ms, 1700);
  EXPECT_THAT(table.take_ended(1699), ElementsAre());
  EXPECT_THAT(table.take_ended(1700), ElementsAre(stored->fingerprint));
  EXPECT_THAT(table.take_ended(1700), ElementsAre());
  EXPECT_TRUE(table.remove_if_done(stored->fingerprint, 1700));
}

TEST(AlertTableTest, EndThatIsGivenOutlastsALaterTimeoutOnly) {
  AlertTable table({});
  ASSERT_TRUE(table.put(alert_of("a", 1000, 9000), 1000, 500));
  const auto renewed = table.put(alert_of("a", 1100, 0), 1200, 500);
  EXPECT_EQ(table.find(renewed->fingerprint)->alert.ends_at_ms, 9000);
  const auto resolved = table.put(alert_of("a", 1000, 1250), 1300, 500);
  EXPECT_TRUE(resolved->resolved);
  EXPECT_EQ(table.find(renewed->fingerprint)->alert.ends_at_ms, 1250);
}

TEST(AlertTableTest, RefusesWhatIsWrongOrTooMuch) {
  AlertTable table({.max_alerts = 1, .max_alert_bytes = 100});
  EXPECT_EQ(table.put({}, 1000, 500).error().code, Code::kInvalidArgument);
  EXPECT_THAT(table.put(alert_of("a", 2000, 1000), 1000, 500).error().message,
              HasSubstr("before it starts"));
  EXPECT_THAT(table.put(alert_of(std::string(200, 'x'), 0, 0), 1000, 500).error().message,
              HasSubstr("100 are taken at most"));
  ASSERT_TRUE(table.put(alert_of("a", 0, 0), 1000, 500));
  EXPECT_TRUE(table.put(alert_of("a", 0, 0), 1000, 500));
  EXPECT_EQ(table.put(alert_of("b", 0, 0), 1000, 500).error().code, Code::kResourceExhausted);
}

TEST(NotificationLogTest, DecidesAsAlertmanagerDoes) {
  const LogEntry none{.at_ms = 1000};
  const LogEntry firing{.at_ms = 1000, .firing = {1, 2}, .resolved = {3}};
  const auto decide = [](const LogEntry* entry, std::vector<uint64_t> fires,
                         std::vector<uint64_t> ended, int64_t now, bool send_resolved = true) {
    return decide_notification(entry,
                               {.firing = std::move(fires),
                                .resolved = std::move(ended),
                                .send_resolved = send_resolved,
                                .repeat_interval_ms = 100},
                               now);
  };
  EXPECT_EQ(decide(nullptr, {}, {1}, 1000), NotifyReason::kNone);
  EXPECT_EQ(decide(nullptr, {1}, {}, 1000), NotifyReason::kFirst);
  EXPECT_EQ(decide(&none, {1}, {}, 1000), NotifyReason::kFirst);
  EXPECT_EQ(decide(&none, {}, {1}, 1000), NotifyReason::kNone);
  EXPECT_EQ(decide(&firing, {1, 2, 4}, {}, 1000), NotifyReason::kNewAlerts);
  EXPECT_EQ(decide(&firing, {1}, {}, 1000), NotifyReason::kNone);
  EXPECT_EQ(decide(&firing, {1}, {2, 3}, 1000), NotifyReason::kSomeResolved);
  EXPECT_EQ(decide(&firing, {1}, {2, 3}, 1000, false), NotifyReason::kNone);
  EXPECT_EQ(decide(&firing, {}, {1, 2}, 1000, false), NotifyReason::kAllResolved);
  EXPECT_EQ(decide(&firing, {1, 2}, {}, 1100), NotifyReason::kNone);
  EXPECT_EQ(decide(&firing, {1, 2}, {}, 1101), NotifyReason::kRepeat);
}

class SilenceBookTest : public ::testing::Test {
 protected:
  static Silence of(std::string_view value, int64_t from, int64_t to) {
    Silence silence;
    silence.matchers.push_back(
        *model::Matcher::create(model::MatchOp::kEqual, "alertname", std::string(value)));
    silence.starts_at_ms = from;
    silence.ends_at_ms = to;
    return silence;
  }
  std::string set(Silence silence, int64_t now) {
    const auto change = book_.plan_set(std::move(silence), now);
    EXPECT_TRUE(change) << change.error().message;
    book_.apply(*change);
    return change->id;
  }
  int ids_ = 0;
  SilenceBook book_{{.max_silences = 3, .retention_ms = 10'000},
                    [this] { return std::to_string(++ids_); }};
};

TEST_F(SilenceBookTest, ChangeOfTheEndKeepsTheSilence) {
  const std::string id = set(of("a", 100, 1000), 100);
  Silence longer = *book_.find(id);
  longer.ends_at_ms = 2000;
  EXPECT_EQ(set(longer, 500), id);
  EXPECT_EQ(book_.find(id)->ends_at_ms, 2000);
}

TEST_F(SilenceBookTest, ChangeOfMatchersExpiresItAndMakesANewOne) {
  const std::string id = set(of("a", 100, 1000), 100);
  Silence other = of("b", 100, 1000);
  other.id = id;
  const std::string made = set(other, 500);
  EXPECT_NE(made, id);
  EXPECT_EQ(book_.find(id)->state(500), SilenceState::kExpired);
  EXPECT_EQ(book_.find(made)->starts_at_ms, 500);
  EXPECT_THAT(book_.active_for(model::Labels{{"alertname", "b"}}, 600), ElementsAre(made));
  EXPECT_THAT(book_.active_for(model::Labels{{"alertname", "a"}}, 600), ElementsAre());
}

TEST_F(SilenceBookTest, PendingOneThatIsExpiredNeverHeld) {
  const std::string id = set(of("a", 5000, 9000), 100);
  EXPECT_EQ(book_.find(id)->state(200), SilenceState::kPending);
  book_.apply(*book_.plan_expire(id, 300));
  EXPECT_EQ(book_.find(id)->state(300), SilenceState::kExpired);
  EXPECT_EQ(book_.find(id)->starts_at_ms, 300);
  EXPECT_TRUE(book_.plan_expire(id, 400)->upserted.empty());
  EXPECT_THAT(book_.active_for(model::Labels{{"alertname", "a"}}, 6000), ElementsAre());
  EXPECT_THAT(book_.gc(10'299), ElementsAre());
  EXPECT_THAT(book_.gc(10'300), ElementsAre(id));
}

TEST_F(SilenceBookTest, RefusesWhatIsWrong) {
  EXPECT_EQ(book_.plan_set(of("a", 100, 1000), 2000).error().code, Code::kInvalidArgument);
  EXPECT_EQ(book_.plan_set(of("", 100, 1000), 100).error().code, Code::kInvalidArgument);
  EXPECT_EQ(book_.plan_set(of("a", 1000, 100), 100).error().code, Code::kInvalidArgument);
  EXPECT_EQ(book_.plan_set({}, 100).error().code, Code::kInvalidArgument);
  Silence unknown = of("a", 100, 1000);
  unknown.id = "x";
  EXPECT_EQ(book_.plan_set(unknown, 100).error().code, Code::kNotFound);
  EXPECT_EQ(book_.plan_expire("x", 100).error().code, Code::kNotFound);
  for (int i = 0; i < 3; ++i) set(of("a", 100, 1000), 100);
  EXPECT_EQ(book_.plan_set(of("a", 100, 1000), 100).error().code, Code::kResourceExhausted);
}

TEST(UuidTest, IsOfVersionFour) {
  std::array<char, 16> bytes{};
  bytes.fill(static_cast<char>(0xFF));
  EXPECT_EQ(uuid_of(bytes), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(GroupKeyTest, LabelsReadAsGoPrintsThem) {
  EXPECT_EQ(label_set_text(model::Labels{{"b", "x\"y\\z\n"}, {"a", "é\x01"}}),
            "{a=\"é\\x01\", b=\"x\\\"y\\\\z\\n\"}");
  EXPECT_EQ(label_set_text(model::Labels{}), "{}");
}

TEST(AlertOrderTest, ByJobInstanceThenLabels) {
  const model::Labels job_a{{"job", "a"}, {"x", "1"}};
  const model::Labels job_b{{"job", "b"}};
  const model::Labels no_job{{"a", "1"}};
  EXPECT_TRUE(told_before(job_a, job_b));
  EXPECT_TRUE(told_before(job_b, no_job));
  EXPECT_FALSE(told_before(no_job, job_a));
  EXPECT_TRUE(told_before(no_job, model::Labels{{"a", "1"}, {"b", "1"}}));
  EXPECT_TRUE(set_before(model::Labels{{"b", "1"}}, model::Labels{{"a", "1"}}));
}

TEST(DeliveriesTest, RetryAfterIsHeldAndALateAnswerChangesNothing) {
  SeededRandom random(1);
  Deliveries deliveries({}, random);
  deliveries.add({.id = 1, .target = {"r", "webhook[0]"}, .deadline_ms = 10'000}, 0);
  ASSERT_EQ(deliveries.take_due(0).size(), 1U);
  deliveries.attempted(1, {.kind = SendOutcome::Kind::kRetry, .retry_after_ms = 5'000}, 100);
  EXPECT_EQ(deliveries.next_due_ms(100), 5'100);
  EXPECT_TRUE(deliveries.take_due(5'099).empty());
  ASSERT_EQ(deliveries.take_due(5'100).size(), 1U);
  // It does not come back in time.
  EXPECT_TRUE(deliveries.take_due(11'000).empty());
  const auto ended = deliveries.take_ended();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_FALSE(ended[0].sent);
  EXPECT_EQ(ended[0].attempts, 2);
  deliveries.attempted(1, {}, 12'000);
  EXPECT_TRUE(deliveries.take_ended().empty());
  EXPECT_EQ(deliveries.waiting({"r", "webhook[0]"}), 0U);
}

TEST(DeliveriesTest, FewAtOnce) {
  SeededRandom random(1);
  Deliveries deliveries({.max_sends_at_once = 2, .max_sends_waiting = 3}, random);
  for (uint64_t id = 1; id <= 4; ++id) {
    deliveries.add({.id = id, .target = {"r", "webhook[0]"}, .deadline_ms = 10'000}, 0);
  }
  const auto refused = deliveries.take_ended();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].id, 4U);
  EXPECT_EQ(deliveries.take_due(0).size(), 2U);
  EXPECT_TRUE(deliveries.take_due(1).empty());
  deliveries.attempted(1, {}, 2);
  EXPECT_EQ(deliveries.take_due(2).size(), 1U);
}

}  // namespace
}  // namespace binnacle::watch::alerts
