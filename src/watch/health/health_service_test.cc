#include "watch/health/health_service.h"

#include "watch/health/testing/health_fixture.h"

namespace binnacle::watch::health {
namespace {

class HealthServiceTest : public HealthFixture {
 protected:
  std::vector<std::string> event_kinds() {
    std::vector<std::string> kinds;
    const auto found = events.recent("health.", 0, 100).value();
    for (const auto& event : found) kinds.push_back(event.kind);
    return kinds;
  }
  // The newest sample of the one series that has these labels; nullopt: none, or stale.
  std::optional<double> newest(const model::Labels& wanted) {
    auto querier = samples.querier(0, INT64_MAX / 2).value();
    auto set = querier->select({}, {}).value();
    model::SeriesColumns columns;
    std::optional<double> out;
    while (set->next(columns)) {
      bool fits = true;
      for (const auto& label : wanted) fits = fits && columns.labels.get(label.name) == label.value;
      if (fits && !columns.values.empty()) out = columns.values.back();
    }
    if (out && model::is_stale(*out)) return std::nullopt;
    return out;
  }
};

TEST_F(HealthServiceTest, AChangeIsAnEventAndHistoryBeforeAnyoneHearsOfIt) {
  files("checks: [{name: db, type: pushed}]");
  EXPECT_TRUE(push("db", Health::kHealthy));
  EXPECT_TRUE(push("db", Health::kFailed, "refused"));
  wait_changes(6);
  EXPECT_EQ(event_kinds(),
            (std::vector<std::string>{"health.cluster_changed", "health.component_changed",
                                      "health.check_failed", "health.cluster_changed",
                                      "health.component_changed", "health.check_recovered"}));
  const auto newest_event = events.recent("health.cluster", 0, 1).value().front();
  EXPECT_NE(newest_event.data.find(R"("deciding_check":"db")"), std::string::npos);
  EXPECT_NE(newest_event.cause_id, 0);
  const auto rows = history.recent({.scope = Scope::kCluster}).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].to, Health::kFailed);
  EXPECT_EQ(rows[0].reason, "refused");
  EXPECT_EQ(rows[0].score, 0);
  EXPECT_EQ(history.recent({.name = "db"}).value().size(), 4U);  // its component bears the name
  EXPECT_EQ(history.recent({.name = "db", .before_id = rows[0].id, .limit = 1}).value().size(), 1U);
}

// Fails, then is well.
class OnceFailing final : public Check {
 public:
  boost::asio::awaitable<Reading> run(std::chrono::milliseconds) override {
    Reading reading;
    reading.health = runs_++ == 0 ? Health::kFailed : Health::kHealthy;
    reading.message = "run";
    co_return reading;
  }

 private:
  int runs_ = 0;
};

TEST_F(HealthServiceTest, ChecksRunAndRunAgainWhenAsked) {
  std::vector<ConfiguredCheck> checks(1);
  checks[0].spec.name = checks[0].spec.component = "db";
  checks[0].spec.kind = "tcp";
  checks[0].spec.rise = checks[0].spec.fall = 1;
  checks[0].spec.interval_ms = 3'600'000;
  checks[0].check = std::make_unique<OnceFailing>();
  ASSERT_TRUE(service->set_files(std::move(checks)));
  service->start();
  EXPECT_EQ(wait_changes(3)[2].to, Health::kFailed);
  while (!service->run_now("db")) continue;  // the first run may still be ending
  EXPECT_EQ(wait_changes(6)[5].to, Health::kHealthy);
  EXPECT_EQ(service->runs("db").runs, 2U);
  PushedReading pushed;
  EXPECT_EQ(service->push("db", pushed).error().code, Code::kFailedPrecondition);
  service->stop();
}

TEST_F(HealthServiceTest, HistoryIsKeptByAgeAndCount) {
  files("checks: [{name: db, type: pushed}]");
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(push("db", i % 2 == 0 ? Health::kHealthy : Health::kFailed));
    clock.advance_ms(1000);
  }
  wait_changes(30);
  EXPECT_EQ(history.prune({.max_age_ms = 3'600'000, .max_count = 12}, clock.wall_ms()), 18);
  EXPECT_EQ(history.recent({.limit = 100}).value().size(), 12U);
  EXPECT_EQ(history.prune({.max_age_ms = 2'500, .max_count = 12}, clock.wall_ms()), 6);
}

TEST_F(HealthServiceTest, ReloadKeepsWhatIsThoughtOfUnchangedChecks) {
  files("checks: [{name: a, type: pushed}, {name: b, type: pushed}]");
  EXPECT_TRUE(push("a", Health::kFailed));
  EXPECT_TRUE(push("b", Health::kHealthy));
  files("checks: [{name: a, type: pushed}]");
  EXPECT_EQ(overall(), Health::kFailed);
  service->read([](const HealthTree& tree) { EXPECT_FALSE(tree.checks().contains("b")); });
  auto clash = read_test_checks("f.yml", "checks: [{name: a, depends_on: [zz]}]", true).value();
  EXPECT_FALSE(service->set_files(std::move(clash)));
  EXPECT_EQ(overall(), Health::kFailed);
}

TEST_F(HealthServiceTest, RegisteredChecksAndMaintenanceSurviveARestart) {
  EXPECT_EQ(service->register_check("name: api\ntype: pushed\nttl: 30s\n").value(), "api");
  EXPECT_EQ(service->register_check(R"({"name": "json", "type": "pushed"})").value(), "json");
  EXPECT_TRUE(push("api", Health::kFailed));
  EXPECT_TRUE(push("json", Health::kHealthy));
  EXPECT_TRUE(service->maintain("api", {clock.wall_ms() + 60'000, "new disk"}));
  EXPECT_EQ(overall(), Health::kHealthy);
  service->stop();
  service.reset();
  make();
  ASSERT_TRUE(service->load());
  service->read([](const HealthTree& tree) {
    EXPECT_EQ(tree.checks().at("api").spec.ttl_ms, 30'000);
    EXPECT_TRUE(tree.checks().at("api").maintained);
    EXPECT_EQ(tree.checks().at("json").spec.origin, CheckOrigin::kApi);
  });
  auto clash = read_test_checks("f.yml", "checks: [{name: api}]", true).value();
  EXPECT_EQ(service->set_files(std::move(clash)).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(service->remove_check("api"));
  EXPECT_EQ(service->remove_check("api").error().code, Code::kNotFound);
}

TEST_F(HealthServiceTest, APushedCheckIsMadeLivesByItsTtlAndIsForgotten) {
  PushedReading pushed;
  pushed.reading.health = Health::kHealthy;
  pushed.ttl_ms = 5'000;
  pushed.component = "trainer";
  EXPECT_TRUE(service->push("loss", pushed));
  EXPECT_EQ(overall(), Health::kHealthy);
  clock.advance_ms(5'001);
  service->look();
  EXPECT_EQ(overall(), Health::kUnknown);
  clock.advance_ms(int64_t{25} * 3'600'000);
  service->look();
  service->read([](const HealthTree& tree) { EXPECT_TRUE(tree.checks().empty()); });
  EXPECT_EQ(service->push("bad name", pushed).error().code, Code::kInvalidArgument);
}

TEST_F(HealthServiceTest, WhoMustNotWaitPushesSoon) {
  PushedReading pushed;
  pushed.reading.health = Health::kFailed;
  pushed.node = "n1";
  service->push_soon("n1/engine:8000", pushed);
  service->push_soon("no name", pushed);
  EXPECT_EQ(wait_changes(4)[2].node, "n1");
  service->stop();
  EXPECT_NE(
      registry.write(TextFormat::kPrometheus004).find("binnacle_health_pushes_refused_total 1"),
      std::string::npos);
}

TEST_F(HealthServiceTest, NodesAreSeenThroughTheView) {
  nodes.set("n1", model::NodeState::kUp);
  nodes.set("n2", model::NodeState::kUnknown);
  service->look();
  EXPECT_EQ(overall(), Health::kUnknown);
  clock.advance_ms(300'001);
  service->look();
  EXPECT_EQ(overall(), Health::kCritical);
  nodes.set("n2", model::NodeState::kDown);
  service->look();
  EXPECT_EQ(overall(), Health::kFailed);
  nodes.set("n2", model::NodeState::kLeft);
  service->look();
  EXPECT_EQ(overall(), Health::kHealthy);
}

TEST_F(HealthServiceTest, BuiltInReadingsBringTheirEvidence) {
  CheckSpec spec;
  spec.name = spec.component = "engine:127.0.0.1:8000";
  spec.kind = "engine";
  spec.rise = spec.fall = 1;
  Reading reading;
  reading.health = Health::kFailed;
  reading.message = "wedged";
  reading.evidence = {"0 tokens for 12 s", "3 requests in flight"};
  EXPECT_TRUE(service->put_reading(spec, reading));
  const Changes changes = wait_changes(3);
  EXPECT_EQ(changes[0].evidence, reading.evidence);
  EXPECT_NE(events.recent("health.check_failed", 0, 1).value()[0].data.find("0 tokens for 12 s"),
            std::string::npos);
  EXPECT_EQ(service->remove_check(spec.name).error().code, Code::kFailedPrecondition);
  service->remove_built_in(spec.name);
  EXPECT_EQ(overall(), Health::kUnknown);
}

TEST_F(HealthServiceTest, SeriesAreWrittenAndEndWithAStaleMarker) {
  nodes.set("n1", model::NodeState::kUp);
  files("checks: [{name: db, type: pushed, node: n1}]");
  EXPECT_TRUE(push("db", Health::kCritical));
  service->look();
  const model::Labels cluster{
      {"__name__", "binnacle_health_status"}, {"scope", "cluster"}, {"cluster", "home"}};
  const model::Labels check{{"__name__", "binnacle_health_check_status"}, {"check", "db"}};
  EXPECT_EQ(newest(cluster), 2);
  EXPECT_EQ(newest(check), 2);
  EXPECT_EQ(newest({{"__name__", "binnacle_health_score"}, {"scope", "node"}, {"node", "n1"}}), 49);
  files("checks: []");
  clock.advance_ms(10'000);
  service->look();
  EXPECT_EQ(newest(check), std::nullopt);
  EXPECT_EQ(newest(cluster), 0);
}

}  // namespace
}  // namespace binnacle::watch::health
