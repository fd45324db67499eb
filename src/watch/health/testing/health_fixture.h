// For tests: a health service over a real state file and a small store, at a simulated time, with
// nodes that a test sets. Checks of files and of the API are "type: pushed" alone.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml_reader.h"
#include "net/router.h"
#include "store/access/access_schema.h"
#include "store/access/audit_log.h"
#include "store/metrics/linear_store.h"
#include "store/state/event_store.h"
#include "store/state/testing/state_fixture.h"
#include "watch/health/health_api.h"
#include "watch/health/health_service.h"

namespace binnacle::watch::health {

class FakeNodes final : public model::NodeView {
 public:
  void set(const std::string& name, model::NodeState state, int64_t since_ms = 0) {
    const MutexLock lock(mu_);
    model::Node& node = nodes_[name];
    node.name = node.id.value = name;
    node.role = "worker";
    node.state = state;
    node.since_ms = since_ms;
  }
  std::vector<model::Node> nodes() const override {
    const MutexLock lock(mu_);
    std::vector<model::Node> out;
    for (const auto& [name, node] : nodes_) out.push_back(node);
    return out;
  }
  std::optional<model::Node> node(const model::NodeId& id) const override {
    const MutexLock lock(mu_);
    const auto found = nodes_.find(id.value);
    return found == nodes_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable Mutex mu_;
  std::map<std::string, model::Node> nodes_ GUARDED_BY(mu_);
};

// Name, component, node, dependencies; all else by default.
inline Result<std::vector<ConfiguredCheck>> read_test_checks(const std::string& file,
                                                             std::string_view yaml, bool) {
  YamlDocument document(file, yaml);
  std::vector<ConfiguredCheck> checks;
  YamlMap map(document.root());
  if (const auto list = map.field("checks")) {
    for (const YamlValue& item : list->items()) {
      YamlMap fields(item);
      ConfiguredCheck check;
      fields.read("name", check.spec.name);
      fields.read("type", check.spec.kind);
      fields.read("component", check.spec.component);
      fields.read("node", check.spec.node);
      fields.read("depends_on", check.spec.depends_on);
      fields.duration("ttl", check.spec.ttl_ms);
      fields.finish();
      check.spec.place = file;
      check.spec.rise = check.spec.fall = 1;
      checks.push_back(std::move(check));
    }
  }
  map.finish();
  TRY(document.status());
  return checks;
}

class HealthFixture : public testing::Test {
 protected:
  HealthFixture() {
    make();
    io.start();
    audit.start();
  }
  ~HealthFixture() override {
    service.reset();
    pool.stop();
    io.stop();
    audit.stop();
  }

  void make() {
    service = std::make_unique<HealthService>(
        HealthOptions{.cluster = "home",
                      .series_labels = model::Labels{{"cluster", "home"}},
                      .runner = {.first_runs_within = std::chrono::milliseconds(2)}},
        HealthParts{io, clock, registry, pool, objects, history, events, samples, &nodes,
                    read_test_checks});
    service->observe([this](const Changes& changes) {
      const MutexLock lock(mu);
      for (const HealthChange& change : changes) seen.push_back(change);
      more.notify_all();
    });
  }
  // All changes so far, when there are at least so many.
  Changes wait_changes(size_t count) {
    const MutexLock lock(mu);
    while (seen.size() < count) {
      if (!more.wait_for_ms(mu, 20'000)) break;
    }
    EXPECT_GE(seen.size(), count);
    return seen;
  }
  void files(std::string_view yaml) {
    auto checks = read_test_checks("checks.yml", yaml, true);
    ASSERT_TRUE(checks) << checks.error().message;
    const auto set = service->set_files(*std::move(checks));
    ASSERT_TRUE(set) << set.error().message;
  }
  Status push(const std::string& name, Health health, const std::string& message = "seen") {
    PushedReading pushed;
    pushed.reading.health = health;
    pushed.reading.message = message;
    return service->push(name, pushed);
  }
  Health overall() {
    Health health = Health::kUnknown;
    service->read([&](const HealthTree& tree) { health = tree.cluster().sum.health; });
    return health;
  }

  static std::vector<store::state::Migration> migrations() {
    std::vector<store::state::Migration> all;
    for (const auto list : {health_migrations(), store::access::access_migrations()})
      all.insert(all.end(), list.begin(), list.end());
    return all;
  }

  SimulatedClock clock;
  Registry registry;
  store::state::StateFixture state{migrations()};
  store::state::EventStore events{*state.store, clock, registry};
  store::state::ObjectStore objects{*state.store, clock};
  store::access::AuditLog audit{*state.store, events, clock, registry};
  HealthHistory history{*state.store};
  store::metrics::LinearStore samples{clock};
  FakeNodes nodes;
  ThreadPool pool{"test", 2, 1000};
  net::IoThreads io{1};
  Mutex mu;
  CondVar more;
  Changes seen GUARDED_BY(mu);
  std::unique_ptr<HealthService> service;
};

}  // namespace binnacle::watch::health
