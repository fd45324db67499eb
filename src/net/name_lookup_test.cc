#include "net/name_lookup.h"

#include "base/mutex.h"
#include "net/coroutine_test_loop.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A resolver of which names below `dead` hang until the test lets them go.
class FakeResolver {
 public:
  Result<Addresses> resolve(const std::string& host) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    ++asked_[host];
    if (host.ends_with("dead") || host.starts_with("held")) {
      ++hanging_;
      changed_.notify_all();
      while (!released_ && !let_go_.contains(host)) changed_.wait(mu_);
      --hanging_;
    }
    if (host.starts_with("no.")) return fail(Code::kUnavailable, "resolve " + host + ": no");
    return Addresses{asio::ip::make_address("192.0.2.7")};
  }
  void release() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    released_ = true;
    changed_.notify_all();
  }
  void let_go(const std::string& host) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    let_go_.insert(host);
    changed_.notify_all();
  }
  void wait_hanging(size_t count) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    while (hanging_ < count) CHECK(changed_.wait_for_ms(mu_, 20'000));
  }
  int asked(const std::string& host) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return asked_[host];
  }
  size_t hanging() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return hanging_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool released_ GUARDED_BY(mu_) = false;
  size_t hanging_ GUARDED_BY(mu_) = 0;
  std::map<std::string, int> asked_ GUARDED_BY(mu_);
  std::set<std::string> let_go_ GUARDED_BY(mu_);
};

class NameLookupTest : public testing::Test {
 protected:
  ~NameLookupTest() override { resolver_->release(); }

  std::unique_ptr<NameLookup> make(NameLookupOptions options) {
    return std::make_unique<NameLookup>(
        options, [fake = resolver_](const std::string& host) { return fake->resolve(host); },
        clock_);
  }
  static asio::awaitable<Result<Addresses>> find(NameLookup& names, std::string host,
                                                 milliseconds limit) {
    Deadline deadline(co_await asio::this_coro::executor, limit);
    co_return co_await names.find(std::move(host), deadline);
  }
  Result<Addresses> ask(NameLookup& names, const std::string& host,
                        milliseconds limit = seconds(20)) {
    return loop_.run(find(names, host, limit));
  }
  // Asks on the loop, beside what comes next.
  void ask_beside(NameLookup& names, const std::string& host) {
    asio::co_spawn(loop_.io(), find(names, host, seconds(20)),
                   [this, host](const std::exception_ptr&, Result<Addresses> answer) {
                     answers_.emplace(host, std::move(answer));
                     ++answered_;
                   });
    loop_.io().restart();
    loop_.io().poll();
  }

  SimulatedClock clock_;
  const std::shared_ptr<FakeResolver> resolver_ = std::make_shared<FakeResolver>();
  TestLoop loop_;
  std::multimap<std::string, Result<Addresses>> answers_;
  size_t answered_ = 0;
};

TEST_F(NameLookupTest, AHangingNameDelaysOnlyItself) {
  const auto names = make({.max_quick = 2});
  ask_beside(*names, "a.dead");
  resolver_->wait_hanging(1);
  const auto answer = ask(*names, "b.example");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->at(0).to_string(), "192.0.2.7");
  EXPECT_EQ(answered_, 0U);
}

TEST_F(NameLookupTest, AHangingZoneGivesItsPlacesUpOnceItIsKnownToBeSlow) {
  const auto names = make({.max_quick = 2, .max_slow = 3, .slow_after = milliseconds(5)});
  for (int i = 0; i < 10; ++i) ask_beside(*names, std::to_string(i) + ".dead");
  resolver_->wait_hanging(2);
  EXPECT_EQ(names->figures().waiting, 8U);
  clock_.advance_ms(10);
  // The quick places are free again, and the zone has no more than its own.
  const auto answer = ask(*names, "b.example");
  ASSERT_TRUE(answer) << answer.error().message;
  resolver_->wait_hanging(3);
  clock_.advance_ms(10);
  EXPECT_TRUE(ask(*names, "c.example"));
  EXPECT_EQ(resolver_->hanging(), 3U);
  EXPECT_EQ(names->figures().waiting, 7U);
  resolver_->release();
  loop_.run_until([this] { return answered_ == 10; });
  for (const auto& [host, got] : answers_) EXPECT_TRUE(got) << host;
}

TEST_F(NameLookupTest, QuestionsForOneHostAreOneLookup) {
  const auto names = make({});
  for (int i = 0; i < 5; ++i) ask_beside(*names, "held.example");
  resolver_->wait_hanging(1);
  resolver_->release();
  loop_.run_until([this] { return answered_ == 5; });
  EXPECT_EQ(resolver_->asked("held.example"), 1);
  EXPECT_EQ(names->figures().lookups, 1U);
}

TEST_F(NameLookupTest, AQuestionEndsAtItsDeadlineOrOurs) {
  const auto names = make({.slow_after = milliseconds(5), .timeout = seconds(30)});
  const auto own = ask(*names, "a.dead", milliseconds(10));
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, Code::kDeadlineExceeded);
  ask_beside(*names, "a.dead");
  clock_.advance_ms(31'000);
  loop_.run_until([this] { return answered_ == 1; });
  const auto& ours = answers_.find("a.dead")->second;
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(names->figures().late, 2U);
  EXPECT_EQ(resolver_->asked("a.dead"), 1) << "it still hangs there";
}

TEST_F(NameLookupTest, AFailureAnswersTheNextQuestionsForAShortTime) {
  const auto names = make({.refusal_ttl = milliseconds(1'000)});
  EXPECT_FALSE(ask(*names, "no.example"));
  const auto again = ask(*names, "no.example");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "resolve no.example: no");
  EXPECT_EQ(resolver_->asked("no.example"), 1);
  clock_.advance_ms(1'001);
  EXPECT_FALSE(ask(*names, "no.example"));
  EXPECT_EQ(resolver_->asked("no.example"), 2);
  // An answer is not kept: names move.
  EXPECT_TRUE(ask(*names, "yes.example"));
  EXPECT_TRUE(ask(*names, "yes.example"));
  EXPECT_EQ(resolver_->asked("yes.example"), 2);
}

TEST_F(NameLookupTest, TooManyThatWaitAreRefusedAndThoseGivenUpAreNot) {
  const auto names = make({.max_quick = 1, .max_waiting = 1, .slow_after = seconds(5)});
  ask_beside(*names, "a.dead");
  resolver_->wait_hanging(1);
  const auto late = ask(*names, "b.example", milliseconds(10));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(names->figures().waiting, 0U) << "nobody wants it any more";
  ask_beside(*names, "c.example");
  const auto refused = ask(*names, "d.example");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("d.example"), std::string::npos);
  EXPECT_EQ(names->figures().refused, 1U);
}

TEST_F(NameLookupTest, AnExecutorMayGoBeforeTheAnswerComes) {
  const auto names = make({});
  {
    TestLoop gone;
    asio::co_spawn(gone.io(), find(*names, "a.dead", seconds(20)), asio::detached);
    gone.io().poll();
    resolver_->wait_hanging(1);
  }
  resolver_->let_go("a.dead");
  EXPECT_TRUE(ask(*names, "b.example"));
}

TEST_F(NameLookupTest, TheSystemKnowsLocalhost) {
  const auto answer = ask(NameLookup::system(), "localhost");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->at(0).is_loopback());
  Registry registry;
  register_name_lookup_instruments(registry);
  const std::string text = registry.write(TextFormat::kPrometheus004);
  EXPECT_NE(text.find("binnacle_name_lookups_running 0"), std::string::npos);
  EXPECT_EQ(text.find("binnacle_name_lookups_total 0"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::net
