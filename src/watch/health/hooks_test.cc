#include "watch/health/hooks.h"

#include <gtest/gtest.h>

#include <deque>

#include "net/router.h"
#include "net/server.h"
#include "store/state/event_store.h"
#include "store/state/testing/state_fixture.h"

namespace binnacle::watch::health {
namespace {

constexpr int64_t kLongMs = 20'000;

// What came in, whichever way, and what it is answered.
class Desk {
 public:
  int take(const std::string& text) {
    const MutexLock lock(mu_);
    taken_.push_back(text);
    changed_.notify_all();
    if (answers_.empty()) return 200;
    const int answer = answers_.front();
    answers_.pop_front();
    return answer;
  }
  void answer(std::initializer_list<int> answers) {
    const MutexLock lock(mu_);
    answers_.assign(answers);
  }
  std::vector<std::string> wait(size_t count) {
    const MutexLock lock(mu_);
    while (taken_.size() < count) {
      if (!changed_.wait_for_ms(mu_, kLongMs)) break;
    }
    EXPECT_GE(taken_.size(), count);
    return taken_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> taken_ GUARDED_BY(mu_);
  std::deque<int> answers_ GUARDED_BY(mu_);
};

class HooksTest : public testing::Test {
 protected:
  HooksTest() {
    net::Route route;
    route.method = net::Method::kPost;
    route.pattern = "/hook";
    route.role = Role::kPublic;
    route.handler = [this](const net::Request& request) {
      return net::Response::text(desk_.take(std::string(request.header("Idempotency-Key")) + " " +
                                            std::string(request.body)),
                                 "");
    };
    EXPECT_TRUE(router_.add(std::move(route)));
    net::ListenerOptions listener;
    listener.address = "127.0.0.1:0";
    EXPECT_TRUE(server_.listen(listener));
    server_.start();
    io_.start();
  }
  ~HooksTest() override {
    hooks_.stop();
    server_.stop(std::chrono::milliseconds(100));
    pool_.stop();
    io_.stop();
  }

  HookSpec http(const std::string& name, std::vector<std::string> prefixes) {
    HookSpec spec;
    spec.name = name;
    spec.events = std::move(prefixes);
    spec.url = "http://" + server_.addresses().at(0) + "/hook";
    return spec;
  }
  void publish(const std::string& kind) {
    ASSERT_TRUE(events_.publish({.kind = kind, .subject = "n1", .data = R"({"to":"failed"})"}));
  }

  Desk desk_;
  Desk programs_;
  SystemClock clock_;
  Registry registry_;
  store::state::StateFixture state_;
  store::state::EventStore events_{*state_.store, clock_, registry_, {.first_retry_ms = 1}};
  net::IoThreads io_{1};
  ThreadPool pool_{"test", 1, 100};
  net::Router router_;
  net::Server server_{io_, router_, nullptr, pool_, registry_, clock_, {}};
  Hooks hooks_{{io_, real_file_system(), clock_, registry_, events_,
                [this](std::vector<std::string> argv,
                       std::vector<std::pair<std::string, std::string>> environment,
                       std::chrono::milliseconds) -> boost::asio::awaitable<Status> {
                  const int code = programs_.take(argv[0] + " " + environment[2].second);
                  if (code != 200) co_return fail(Code::kUnavailable, "exit code 1");
                  co_return Status();
                }}};
};

TEST_F(HooksTest, PostsTheEventsThatItAskedForInOrder) {
  ASSERT_TRUE(hooks_.set({http("a", {"node.", "health."})}));
  publish("node.down");
  publish("login.failed");
  publish("health.cluster_changed");
  const auto taken = desk_.wait(2);
  EXPECT_NE(taken[0].find(R"("kind":"node.down")"), std::string::npos) << taken[0];
  EXPECT_NE(taken[0].find(R"("data":{"to":"failed"})"), std::string::npos);
  EXPECT_TRUE(taken[0].starts_with("binnacle-event-"));
  EXPECT_NE(taken[1].find("health.cluster_changed"), std::string::npos);
}

TEST_F(HooksTest, RepeatsWhatFailedAndDropsWhatIsRefused) {
  desk_.answer({503, 429, 200, 400, 200});
  ASSERT_TRUE(hooks_.set({http("a", {})}));
  publish("one");
  publish("two");
  publish("three");
  const auto taken = desk_.wait(5);
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(taken[static_cast<size_t>(i)].find("one"), std::string::npos);
  EXPECT_NE(taken[3].find("two"), std::string::npos);
  EXPECT_NE(taken[4].find("three"), std::string::npos);
}

TEST_F(HooksTest, RunsProgramsAndGivesUpAfterAWhile) {
  HookSpec spec;
  spec.name = "p";
  spec.command = {"/bin/page"};
  spec.retry_for_ms = 0;
  programs_.answer({1});
  ASSERT_TRUE(hooks_.set({spec}));
  publish("one");
  publish("two");
  EXPECT_EQ(programs_.wait(2), (std::vector<std::string>{"/bin/page one", "/bin/page two"}));
}

TEST_F(HooksTest, OneHookNeverDelaysAnotherAndAReloadLeavesTheUnchanged) {
  HookSpec program;
  program.name = "p";
  program.command = {"x"};
  HookSpec dead = http("dead", {});
  dead.url = "http://127.0.0.1:1/";  // nobody listens
  ASSERT_TRUE(hooks_.set({dead, program}));
  publish("one");
  programs_.wait(1);
  ASSERT_TRUE(hooks_.set({program, http("b", {})}));
  publish("two");
  desk_.wait(1);
  EXPECT_EQ(programs_.wait(2).size(), 2U);
}

TEST_F(HooksTest, RefusesWhatIsNeitherOrBoth) {
  HookSpec spec;
  EXPECT_NE(hooks_.check({spec}).error().message.find("name"), std::string::npos);
  spec.name = "a";
  EXPECT_NE(hooks_.check({spec}).error().message.find("either"), std::string::npos);
  spec.url = "ftp://x";
  EXPECT_NE(hooks_.check({spec}).error().message.find("http://"), std::string::npos);
  spec.url = "http://x";
  EXPECT_TRUE(hooks_.check({spec}));
  EXPECT_NE(hooks_.check({spec, spec}).error().message.find("two"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::watch::health
