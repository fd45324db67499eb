#include <gmock/gmock.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

class MadeUpBus final : public SystemdBus {
 public:
  struct State {
    std::vector<SystemdUnit> units;
    std::map<std::string, std::string> texts;  // "object property"
    std::map<std::string, double> numbers;
    bool broken = false;
  };
  explicit MadeUpBus(State& state) : state_(state) {}

  Result<std::vector<SystemdUnit>> units(size_t max_units) override {
    TRY(works());
    auto units = state_.units;
    units.resize(std::min(units.size(), max_units));
    return units;
  }
  Result<std::string> text(const std::string& object, std::string_view,
                           const char* property) override {
    TRY(works());
    const auto found = state_.texts.find(object + " " + property);
    if (found == state_.texts.end()) return fail(Code::kNotFound, "no such property");
    return found->second;
  }
  Result<double> number(const std::string& object, std::string_view, const char* property,
                        char) override {
    TRY(works());
    const auto found = state_.numbers.find(object + " " + property);
    if (found == state_.numbers.end()) return fail(Code::kNotFound, "no such property");
    return found->second;
  }

 private:
  Status works() const {
    if (state_.broken) return fail(Code::kUnavailable, "connect to the system bus: refused (test)");
    return {};
  }
  State& state_;
};

class SystemdPartTest : public testing::Test {
 protected:
  SystemdPartTest() {
    const std::string manager = kSystemdManager;
    state_.texts = {{manager + " SystemState", "running"},
                    {manager + " Version", "252.30-1~deb12u2"},
                    {"/ssh Type", "notify"}};
    state_.numbers = {{"/ssh ActiveEnterTimestamp", 5e6},
                      {"/ssh NRestarts", 3},
                      {"/t LastTriggerUSec", 7e6},
                      {"/t ActiveEnterTimestamp", 1e6},
                      {"/s NAccepted", 4},
                      {"/s NConnections", 2},
                      {"/s NRefused", 1},
                      {"/s ActiveEnterTimestamp", 1e6}};
    state_.units = {
        {"ssh.service", "loaded", "active", "/ssh"},     {"x.service", "loaded", "failed", "/x"},
        {"gone.service", "not-found", "inactive", "/g"}, {"b.timer", "loaded", "active", "/t"},
        {"c.socket", "loaded", "active", "/s"},          {"-.mount", "loaded", "active", "/m"}};
  }
  PartRunner make(size_t max_units = 100) {
    return PartRunner(systemd_part(std::make_unique<MadeUpBus>(state_), filter("^(?:.+)$"),
                                   filter(R"(^(?:.+\.mount)$)"), max_units));
  }
  MadeUpBus::State state_;
};

TEST_F(SystemdPartTest, TellsUnitsUnderTheNamesOfNodeExporter) {
  PartRunner runner = make();
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  const auto unit = [&](const std::string& name, const std::string& state,
                        const std::string& type = "") {
    return samples.at("node_systemd_unit_state{name=\"" + name + "\", state=\"" + state + "\"" +
                      (type.empty() ? "" : ", type=\"" + type + "\"") + "}");
  };
  EXPECT_EQ(unit("ssh.service", "active", "notify"), 1);
  EXPECT_EQ(unit("ssh.service", "failed", "notify"), 0);
  EXPECT_EQ(unit("x.service", "failed"), 1);
  EXPECT_EQ(samples.at("node_systemd_system_running"), 1);
  EXPECT_EQ(samples.at(R"(node_systemd_version{version="252.30-1~deb12u2"})"), 252.30);
  EXPECT_EQ(samples.at(R"(node_systemd_units{state="active"})"), 4);
  EXPECT_EQ(samples.at(R"(node_systemd_units{state="failed"})"), 1);
  EXPECT_EQ(samples.at(R"(node_systemd_unit_start_time_seconds{name="ssh.service"})"), 5);
  EXPECT_EQ(samples.at(R"(node_systemd_unit_start_time_seconds{name="x.service"})"), 0);
  EXPECT_EQ(samples.at(R"(node_systemd_service_restart_total{name="ssh.service"})"), 3);
  EXPECT_EQ(samples.at(R"(node_systemd_timer_last_trigger_seconds{name="b.timer"})"), 7);
  EXPECT_EQ(samples.at(R"(node_systemd_socket_accepted_connections_total{name="c.socket"})"), 4);
  EXPECT_EQ(samples.at(R"(node_systemd_socket_current_connections{name="c.socket"})"), 2);
  EXPECT_EQ(samples.at(R"(node_systemd_socket_refused_connections_total{name="c.socket"})"), 1);
  for (const auto& [series, value] : samples) {
    EXPECT_EQ(series.find("gone"), std::string::npos) << series;
    EXPECT_EQ(series.find("mount"), std::string::npos) << series;
  }
}

TEST_F(SystemdPartTest, ABusThatFailsIsAFailureUntilItServesAgain) {
  PartRunner runner = make();
  EXPECT_EQ(runner.run().at("node_systemd_system_running"), 1);
  state_.broken = true;
  EXPECT_TRUE(model::is_stale(runner.run().at("node_systemd_system_running")));
  EXPECT_FALSE(runner.succeeded());
  state_.broken = false;
  EXPECT_EQ(runner.run().at("node_systemd_system_running"), 1);
  EXPECT_TRUE(runner.succeeded());
}

TEST_F(SystemdPartTest, UnitsAreBounded) {
  PartRunner runner = make(2);
  EXPECT_EQ(runner.run().at(R"(node_systemd_units{state="active"})"), 1);
  EXPECT_FALSE(runner.succeeded());
}

// Whether there is a system bus or not, the answer comes and says which.
TEST(SystemBus, TheRealOneAnswersOrSaysWhyNot) {
  const auto bus = system_bus();
  const auto state = bus->text(kSystemdManager, "Manager", "SystemState");
  if (state) {
    EXPECT_FALSE(state->empty());
    EXPECT_TRUE(bus->units(10));
  } else {
    EXPECT_FALSE(state.error().message.empty());
  }
}

}  // namespace
}  // namespace binnacle::collect::host
