#include "collect/discovery/discovery_manager.h"

#include <gmock/gmock.h>

namespace binnacle::collect::discovery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A source that the test speaks for.
class FakeSource final : public model::TargetSource {
 public:
  explicit FakeSource(bool& running) : running_(running) {}
  void start(Update update) override {
    update_ = std::move(update);
    running_ = true;
  }
  void stop() override { running_ = false; }
  void say(const std::string& group, const std::vector<std::string>& addresses) {
    model::TargetGroup made{.source = group, .targets = {}, .labels = {}};
    for (const auto& address : addresses) {
      made.targets.push_back(model::Labels{{"__address__", address}});
    }
    update_({made});
  }

 private:
  bool& running_;
  Update update_;
};

class DiscoveryManagerTest : public testing::Test {
 protected:
  static SourceConfig source(const std::string& key) { return {"http", key, HttpSdConfig{}}; }

  std::vector<std::string> delivered() {
    deliveries_.clear();
    next_ms_ = manager_.deliver_due();
    return deliveries_;
  }

  SimulatedClock clock_;
  Registry registry_;
  std::map<std::string, FakeSource*> sources_;
  std::map<std::string, bool> running_;
  std::map<std::string, SourceHealth*> health_;
  int made_ = 0;
  std::vector<std::string> deliveries_;  // "job: address address"
  std::optional<int64_t> next_ms_;
  DiscoveryManager manager_{
      [this](const SourceConfig& config, SourceHealth& health) {
        ++made_;
        health_[config.key] = &health;
        auto made = std::make_unique<FakeSource>(running_[config.key]);
        sources_[config.key] = made.get();
        return made;
      },
      [this](const std::string& job, const std::vector<model::TargetGroup>& groups) {
        std::string text = job + ":";
        for (const auto& group : groups) {
          for (const auto& target : group.targets) {
            text += " " + std::string(target.get("__address__"));
          }
        }
        deliveries_.push_back(text);
      },
      clock_, registry_};
};

TEST_F(DiscoveryManagerTest, MergesTheGroupsOfAllSourcesOfAJob) {
  manager_.apply({{"a", {source("x"), source("y")}}});
  EXPECT_THAT(delivered(), ElementsAre("a:"));
  clock_.advance_ms(5'000);
  sources_["x"]->say("g1", {"1", "2"});
  sources_["x"]->say("g2", {"3"});
  sources_["y"]->say("g1", {"4"});
  EXPECT_THAT(delivered(), ElementsAre("a: 1 2 3 4"));
  clock_.advance_ms(5'000);
  sources_["x"]->say("g1", {});
  EXPECT_THAT(delivered(), ElementsAre("a: 3 4"));
}

TEST_F(DiscoveryManagerTest, LetsChangesSettle) {
  manager_.apply({{"a", {source("x")}}});
  sources_["x"]->say("g", {"0"});
  EXPECT_THAT(delivered(), ElementsAre("a: 0"));
  sources_["x"]->say("g", {"1"});
  clock_.advance_ms(4'000);
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(next_ms_, 1'000);
  sources_["x"]->say("g", {"2"});
  clock_.advance_ms(1'000);
  EXPECT_THAT(delivered(), ElementsAre("a: 2"));
  EXPECT_EQ(next_ms_, std::nullopt);
}

// A source may come to speak only after the job was seen without targets.
TEST_F(DiscoveryManagerTest, TheFirstTargetsGoOnAtOnce) {
  manager_.apply({{"a", {source("x")}}});
  EXPECT_THAT(delivered(), ElementsAre("a:"));
  sources_["x"]->say("g", {"1"});
  EXPECT_THAT(delivered(), ElementsAre("a: 1"));
  sources_["x"]->say("g", {"2"});
  EXPECT_THAT(delivered(), IsEmpty());
  EXPECT_EQ(next_ms_, 5'000);
}

TEST_F(DiscoveryManagerTest, AReloadKeepsWhatDidNotChange) {
  manager_.apply({{"a", {source("x")}}, {"b", {source("x"), source("y")}}});
  EXPECT_EQ(made_, 2);
  sources_["x"]->say("g", {"1"});
  sources_["y"]->say("g", {"2"});
  EXPECT_THAT(delivered(), ElementsAre("a: 1", "b: 1 2"));
  manager_.apply({{"a", {source("x")}}, {"b", {source("x"), source("z")}}, {"c", {source("x")}}});
  EXPECT_EQ(made_, 3);
  EXPECT_TRUE(running_["x"]);
  EXPECT_FALSE(running_["y"]);
  EXPECT_THAT(delivered(), ElementsAre("b: 1", "c: 1"));
  manager_.stop();
  EXPECT_FALSE(running_["x"] || running_["z"]);
}

TEST_F(DiscoveryManagerTest, SaysHowSourcesDo) {
  manager_.apply({{"a", {source("x")}}});
  sources_["x"]->say("g", {"1", "2"});
  health_["x"]->failed({Code::kUnavailable, "away"});
  auto views = manager_.sources();
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].job, "a");
  EXPECT_EQ(views[0].mechanism, "http");
  EXPECT_EQ(views[0].targets, 2U);
  EXPECT_EQ(views[0].last_error, "away");
  EXPECT_EQ(views[0].last_success_ms, 0);
  health_["x"]->succeeded();
  EXPECT_EQ(manager_.sources()[0].last_error, "");
  const std::string text = registry_.write(TextFormat::kPrometheus004);
  EXPECT_THAT(text, testing::HasSubstr("binnacle_discovery_targets{mechanism=\"http\"} 2\n"));
  EXPECT_THAT(text,
              testing::HasSubstr("binnacle_discovery_failures_total{mechanism=\"http\"} 1\n"));
  manager_.apply({});
  EXPECT_THAT(registry_.write(TextFormat::kPrometheus004),
              testing::HasSubstr("binnacle_discovery_targets{mechanism=\"http\"} 0\n"));
}

TEST(DiscoveryManagerThread, HandsOnByItself) {
  SystemClock clock;
  Registry registry;
  bool running = false;
  FakeSource* source = nullptr;
  Mutex mu;
  CondVar changed;
  size_t targets = 0;
  DiscoveryManager manager(
      [&](const SourceConfig&, SourceHealth&) {
        auto made = std::make_unique<FakeSource>(running);
        source = made.get();
        return made;
      },
      [&](const std::string&, const std::vector<model::TargetGroup>& groups) {
        const MutexLock lock(mu);
        targets = 0;
        for (const auto& group : groups) targets += group.targets.size();
        changed.notify_all();
      },
      clock, registry, 1);
  manager.start();
  manager.apply({{"a", {SourceConfig{"http", "x", HttpSdConfig{}}}}});
  source->say("g", {"1", "2"});
  const MutexLock lock(mu);
  while (targets != 2) ASSERT_TRUE(changed.wait_for_ms(mu, 20'000));
}

}  // namespace
}  // namespace binnacle::collect::discovery
