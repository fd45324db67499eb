#include "app/node_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/check.h"

namespace binnacle::app {
namespace {

using nlohmann::json;

class KeptEvents final : public model::EventBus {
 public:
  Result<int64_t> publish(model::Event event) override {
    const MutexLock lock(mu_);
    events_.push_back(std::move(event));
    return static_cast<int64_t>(events_.size());
  }
  Result<uint64_t> subscribe(std::string, std::string, Deliver) override { return 0; }
  void unsubscribe(uint64_t) override {}
  Result<std::vector<model::Event>> recent(std::string_view, int64_t, size_t) override {
    const MutexLock lock(mu_);
    return events_;
  }

 private:
  Mutex mu_;
  std::vector<model::Event> events_ GUARDED_BY(mu_);
};

class NodeEventsTest : public testing::Test {
 protected:
  // The event that the bus got, whose data is `data` of what an agent sent.
  json told(const std::string& data) {
    KeptEvents bus;
    ThreadPool pool("events", 1, 4);
    NodeEvents events(bus, pool, clock_, registry_);
    model::Node node;
    node.name = "n1";
    events.event(node, {.kind = "k", .subject = "s", .data = data, .time_ms = 5});
    pool.stop();
    const auto kept = bus.recent("", 0, 1);
    CHECK(kept->size() == 1);
    EXPECT_EQ(kept->at(0).kind, "agent.k");
    EXPECT_EQ(kept->at(0).subject, "n1");
    return json::parse(kept->at(0).data).at("data");
  }
  double refused() {
    double count = -1;
    registry_.visit([&count](std::string_view name, auto /*labels*/, double value) {
      if (name == "binnacle_link_event_data_refused_total") count = value;
    });
    return count;
  }
  static std::string nested(size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  }

  SimulatedClock clock_;
  Registry registry_;
};

TEST_F(NodeEventsTest, KeepsWhatAnAgentTells) {
  EXPECT_EQ(told(R"({"a":[1,{"b":2}]})"), json::parse(R"({"a":[1,{"b":2}]})"));
  EXPECT_EQ(told("no json"), "no json");
  EXPECT_EQ(told(R"(["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[["])").size(), 1U) << "a text";
  EXPECT_EQ(told(nested(32)), json::parse(nested(32)));
  EXPECT_EQ(refused(), 0);
}

TEST_F(NodeEventsTest, DataThatNestsTooDeepIsReplacedByANote) {
  const json expected = {{"refused", "the data nests deeper than 32 levels"}};
  EXPECT_EQ(told(nested(33)), expected);
  EXPECT_EQ(told(std::string(200'000, '[')), expected) << "broken as well";
  std::string objects;
  for (int i = 0; i < 30'000; ++i) objects += R"({"a":)";
  EXPECT_EQ(told(objects), expected);
  EXPECT_EQ(refused(), 3);
}

}  // namespace
}  // namespace binnacle::app
