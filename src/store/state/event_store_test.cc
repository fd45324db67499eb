#include "store/state/event_store.h"

#include "base/log.h"
#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>

namespace binnacle::store::state {
namespace {

using model::Event;
using testing::ElementsAre;

// Takes events in the bus's thread, hands them to the test's.
class Inbox {
 public:
  Status take(const Event& event) {
    MutexLock lock(mu_);
    subjects_.push_back(event.subject);
    arrived_.notify_all();
    if (failures_ > 0) {
      --failures_;
      return fail(Code::kUnavailable, "not now");
    }
    return {};
  }
  model::EventBus::Deliver deliver() {
    return [this](const Event& event) { return take(event); };
  }
  void fail_next(int times) {
    MutexLock lock(mu_);
    failures_ = times;
  }
  std::vector<std::string> wait_for(size_t count) {
    MutexLock lock(mu_);
    while (subjects_.size() < count) arrived_.wait(mu_);
    return subjects_;
  }
  std::vector<std::string> now() {
    MutexLock lock(mu_);
    return subjects_;
  }

 private:
  Mutex mu_;
  CondVar arrived_;
  std::vector<std::string> subjects_ GUARDED_BY(mu_);
  int failures_ GUARDED_BY(mu_) = 0;
};

class EventStoreTest : public testing::Test {
 protected:
  EventStoreTest() { open(); }

  void open() {
    events_.reset();
    state_.reopen();
    events_.emplace(*state_.store, clock_, state_.registry,
                    EventOptions{.first_retry_ms = 1, .longest_retry_ms = 2});
  }
  int64_t publish(std::string kind, std::string subject) {
    const auto id = events_->publish({.kind = std::move(kind), .subject = std::move(subject)});
    CHECK(id.has_value());
    return *id;
  }
  std::vector<std::string> recent_subjects(std::string_view prefix, int64_t before = 0,
                                           size_t limit = 100) {
    std::vector<std::string> subjects;
    const auto events = events_->recent(prefix, before, limit);
    for (const Event& event : *events) {
      subjects.push_back(event.subject);
    }
    return subjects;
  }

  // Lives until the subscriptions have ended.
  Inbox& new_inbox() { return inboxes_.emplace_back(); }

  LogCapture log_;
  StateFixture state_;
  SimulatedClock clock_;
  std::deque<Inbox> inboxes_;
  std::optional<EventStore> events_;
};

TEST_F(EventStoreTest, AnEventIsARowWithAscendingId) {
  const int64_t first = publish("node.down", "a");
  const auto second = events_->publish({.time_ms = 5,
                                        .kind = "alert.firing",
                                        .subject = "b",
                                        .cause_id = first,
                                        .data = R"({"x":1})"});
  ASSERT_TRUE(second);
  EXPECT_GT(*second, first);
  const auto events = events_->recent("", 0, 10);
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ(events->at(0).cause_id, first);
  EXPECT_EQ(events->at(0).time_ms, 5);
  EXPECT_EQ(events->at(0).data, R"({"x":1})");
  EXPECT_EQ(events->at(1).time_ms, clock_.wall_ms());
  EXPECT_EQ(events->at(1).data, "{}");
  EXPECT_THAT(recent_subjects("node."), ElementsAre("a"));
  EXPECT_THAT(recent_subjects("", *second), ElementsAre("a"));
}

TEST_F(EventStoreTest, DataThatIsNotJsonIsRefused) {
  const auto refused = events_->publish({.kind = "x", .data = "{"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
}

TEST_F(EventStoreTest, SubscribersGetTheirKindsInOrder) {
  publish("node.down", "before anyone listened");
  Inbox& nodes = new_inbox();
  Inbox& all = new_inbox();
  ASSERT_TRUE(events_->subscribe("nodes", "node.", nodes.deliver()));
  ASSERT_TRUE(events_->subscribe("all", "", all.deliver()));
  publish("node.down", "1");
  publish("alert.firing", "2");
  publish("node.up", "3");
  EXPECT_THAT(all.wait_for(3), ElementsAre("1", "2", "3"));
  EXPECT_THAT(nodes.wait_for(2), ElementsAre("1", "3"));
}

TEST_F(EventStoreTest, AFailedDeliveryComesAgainBeforeTheNextEvent) {
  Inbox& inbox = new_inbox();
  inbox.fail_next(3);
  ASSERT_TRUE(events_->subscribe("s", "", inbox.deliver()));
  publish("k", "1");
  publish("k", "2");
  EXPECT_THAT(inbox.wait_for(5), ElementsAre("1", "1", "1", "1", "2"));
}

TEST_F(EventStoreTest, TheCursorSurvivesAReopenAndMissedEventsCome) {
  Inbox& first = new_inbox();
  ASSERT_TRUE(events_->subscribe("s", "", first.deliver()));
  publish("k", "1");
  first.wait_for(1);
  open();
  publish("k", "2");
  Inbox& inbox = new_inbox();
  ASSERT_TRUE(events_->subscribe("s", "", inbox.deliver()));
  EXPECT_THAT(inbox.wait_for(1), ElementsAre("2"));
  events_->publish({.kind = "k", .subject = "3"}).value();
  EXPECT_THAT(inbox.wait_for(2), ElementsAre("2", "3"));
}

TEST_F(EventStoreTest, ManyMoreEventsThanAPage) {
  Inbox& inbox = new_inbox();
  const auto handle = events_->subscribe("s", "k", inbox.deliver());
  events_->unsubscribe(*handle);
  ASSERT_TRUE(state_.store->write([&](Database& database) -> Status {
    for (int i = 0; i < 1000; ++i) {
      TRY(events_->append(database,
                          {.kind = i % 3 == 0 ? "other" : "k", .subject = std::to_string(i)}));
    }
    return {};
  }));
  ASSERT_TRUE(events_->subscribe("s", "k", inbox.deliver()));
  const auto subjects = inbox.wait_for(666);
  EXPECT_EQ(subjects.front(), "1");
  EXPECT_EQ(subjects.back(), "998");
  events_.reset();
  EXPECT_EQ(inbox.now().size(), 666u);
}

TEST_F(EventStoreTest, AnEventOfAFailedWriteWasNeverThere) {
  Inbox& inbox = new_inbox();
  ASSERT_TRUE(events_->subscribe("s", "", inbox.deliver()));
  EXPECT_FALSE(state_.store->write([&](Database& database) -> Status {
    TRY(events_->append(database, {.kind = "k", .subject = "undone"}));
    return fail(Code::kInternal, "changed my mind");
  }));
  publish("k", "done");
  EXPECT_THAT(inbox.wait_for(1), ElementsAre("done"));
}

TEST_F(EventStoreTest, ANameIsSubscribedOnce) {
  Inbox& inbox = new_inbox();
  const auto handle = events_->subscribe("s", "", inbox.deliver());
  ASSERT_TRUE(handle);
  const auto again = events_->subscribe("s", "", inbox.deliver());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  events_->unsubscribe(*handle);
  EXPECT_TRUE(events_->subscribe("s", "", inbox.deliver()));
}

TEST_F(EventStoreTest, PruneByCountTakesTheOldest) {
  for (int i = 0; i < 10; ++i) publish("k", std::to_string(i));
  EXPECT_EQ(*events_->prune({.max_count = 3}), 7);
  EXPECT_THAT(recent_subjects(""), ElementsAre("9", "8", "7"));
  EXPECT_GT(publish("k", "next"), 10);
}

TEST_F(EventStoreTest, PruneByAgeSparesWhatASubscriberHasNotTaken) {
  publish("k", "old");
  Inbox& inbox = new_inbox();
  inbox.fail_next(1'000'000);
  ASSERT_TRUE(events_->subscribe("stuck", "", inbox.deliver()));
  publish("k", "old, not taken");
  clock_.advance_ms(1'000);
  publish("k", "young");
  inbox.wait_for(1);
  EXPECT_EQ(*events_->prune({.max_age_ms = 500, .max_count = 100}), 1);
  EXPECT_THAT(recent_subjects(""), ElementsAre("young", "old, not taken"));
}

}  // namespace
}  // namespace binnacle::store::state
