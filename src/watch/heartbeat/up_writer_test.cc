#include "watch/heartbeat/up_writer.h"

#include <gtest/gtest.h>

#include <map>

#include "store/metrics/linear_store.h"

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

class FixedNodes final : public model::NodeView {
 public:
  std::vector<model::Node> nodes() const override { return list; }
  std::optional<model::Node> node(const model::NodeId&) const override { return std::nullopt; }
  void set(const std::string& name, NodeState state) {
    for (model::Node& node : list) {
      if (node.name == name) node.state = state;
    }
  }
  void add(const std::string& name, NodeState state) {
    model::Node node;
    node.name = name;
    node.cluster = "lab";
    node.state = state;
    list.push_back(node);
  }
  std::vector<model::Node> list;
};

class UpWriterTest : public testing::Test {
 protected:
  void write(const model::Labels& labels, double value, int64_t ahead_ms = 0) {
    const auto appender = store_.appender();
    ASSERT_TRUE(appender->append(model::kNoSeries, labels, {clock_.wall_ms() + ahead_ms, value}));
    ASSERT_TRUE(appender->commit());
  }
  // The newest value of each series, without the ended ones, as an instant query would see it.
  std::map<std::string, double> now(int64_t later_ms = 0) {
    std::map<std::string, double> values;
    const auto querier = store_.querier(clock_.wall_ms() - 300'000, clock_.wall_ms() + later_ms);
    const auto set =
        (*querier)->select({*model::Matcher::create(model::MatchOp::kRegex, "__name__", ".+")}, {});
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      if (columns.values.empty() || model::is_stale(columns.values.back())) continue;
      values[columns.labels.to_string()] = columns.values.back();
    }
    return values;
  }
  void tick_after(int64_t ms) {
    clock_.advance_ms(ms);
    const Status ticked = writer_.tick();
    ASSERT_TRUE(ticked) << ticked.error().message;
  }

  const model::Labels gauge_{{"__name__", "node_load1"}, {"job", "node"}, {"node", "a"}};
  const model::Labels engine_up_{
      {"__name__", "up"}, {"instance", "localhost:8000"}, {"job", "engines"}, {"node", "a"}};
  const std::string up_a_ = R"(up{cluster="lab", instance="a", job="node", node="a"})";
  SimulatedClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
  FixedNodes nodes_;
  UpWriter writer_{{},
                   nodes_,
                   store_,
                   store_,
                   [](model::LabelsView labels) { return labels.get("job") == "mine"; },
                   clock_,
                   registry_};
};

TEST_F(UpWriterTest, UpIsOneWhileTheNodeLivesAndZeroWhenItDoesNot) {
  nodes_.add("a", NodeState::kUp);
  nodes_.add("b", NodeState::kUnknown);
  nodes_.add("c", NodeState::kSuspect);
  tick_after(0);
  const auto values = now();
  EXPECT_EQ(values.size(), 3u);
  EXPECT_EQ(values.at(up_a_), 1);
  EXPECT_EQ(values.at(R"(up{cluster="lab", instance="b", job="node", node="b"})"), 0);
  EXPECT_EQ(values.at(R"(up{cluster="lab", instance="c", job="node", node="c"})"), 1);
}

TEST_F(UpWriterTest, ItIsWrittenAtTheIntervalAndAtOnceWhenItChanges) {
  nodes_.add("a", NodeState::kUp);
  const auto samples = [&] {
    const auto querier = store_.querier(0, clock_.wall_ms());
    const auto set =
        (*querier)->select({*model::Matcher::create(model::MatchOp::kEqual, "__name__", "up")}, {});
    model::SeriesColumns columns;
    size_t count = 0;
    while ((*set)->next(columns)) count += columns.values.size();
    return count;
  };
  for (int i = 0; i < 21; ++i) tick_after(1'000);
  EXPECT_EQ(samples(), 3u);
  nodes_.set("a", NodeState::kDown);
  tick_after(1'000);
  EXPECT_EQ(samples(), 4u);
}

TEST_F(UpWriterTest, SeriesOfADeadNodeEnd) {
  nodes_.add("a", NodeState::kUp);
  const model::Labels mine{{"__name__", "probe"}, {"job", "mine"}, {"node", "a"}};
  const model::Labels other{{"__name__", "node_load1"}, {"job", "node"}, {"node", "b"}};
  write(gauge_, 3);
  write(engine_up_, 1);
  write(mine, 1);
  write(other, 5);
  tick_after(1'000);
  EXPECT_EQ(now().size(), 5u);
  nodes_.set("a", NodeState::kDown);
  tick_after(1'000);
  const auto values = now();
  EXPECT_FALSE(values.contains(gauge_.to_string()));
  EXPECT_EQ(values.at(up_a_), 0);
  EXPECT_EQ(values.at(engine_up_.to_string()), 0);  // nobody else could say so
  EXPECT_EQ(values.at(mine.to_string()), 1);
  EXPECT_EQ(values.at(other.to_string()), 5);
}

TEST_F(UpWriterTest, WhatWasStillUnderWayEndsAnIntervalLater) {
  nodes_.add("a", NodeState::kUp);
  write(gauge_, 3);
  tick_after(1'000);
  nodes_.set("a", NodeState::kDown);
  tick_after(1'000);
  clock_.advance_ms(1);
  write(gauge_, 4);
  EXPECT_TRUE(now().contains(gauge_.to_string()));
  tick_after(10'000);
  EXPECT_FALSE(now().contains(gauge_.to_string()));
}

TEST_F(UpWriterTest, AFastClockDoesNotKeepASeriesAlive) {
  nodes_.add("a", NodeState::kUp);
  write(gauge_, 3, 30'000);
  tick_after(1'000);
  nodes_.set("a", NodeState::kDown);
  tick_after(1'000);
  EXPECT_FALSE(now(60'000).contains(gauge_.to_string()));
}

TEST_F(UpWriterTest, ANodeThatIsBackIsUpAndItsSeriesGoOn) {
  nodes_.add("a", NodeState::kUp);
  write(gauge_, 3);
  tick_after(1'000);
  nodes_.set("a", NodeState::kDown);
  tick_after(1'000);
  nodes_.set("a", NodeState::kUp);
  clock_.advance_ms(1);
  write(gauge_, 4);
  tick_after(1'000);
  tick_after(10'000);
  EXPECT_EQ(now().at(up_a_), 1);
  EXPECT_EQ(now().at(gauge_.to_string()), 4);
}

TEST_F(UpWriterTest, WhoLeftOrIsForgottenEndsWholly) {
  nodes_.add("a", NodeState::kUp);
  nodes_.add("b", NodeState::kDown);
  write(gauge_, 3);
  tick_after(1'000);
  nodes_.list.pop_back();
  nodes_.set("a", NodeState::kLeft);
  tick_after(1'000);
  EXPECT_TRUE(now().empty());
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
