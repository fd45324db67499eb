#include "watch/rules/alertmanagers.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "net/router.h"
#include "net/server.h"
#include "watch/rules/alert_notifier.h"

namespace binnacle::watch::rules {
namespace {

constexpr int64_t kLongMs = 20'000;

model::Alert alert(const std::string& name) {
  return {.labels = model::Labels{{"alertname", name}, {"job", "a"}},
          .annotations = model::Labels{{"summary", "s"}},
          .starts_at_ms = 1'700'000'000'000,
          .ends_at_ms = 1'700'000'240'000,
          .generator_url = "http://b/graph"};
}

model::RelabelRule rule(model::RelabelSpec config) {
  auto made = model::RelabelRule::create(std::move(config));
  EXPECT_TRUE(made);
  return *std::move(made);
}

class AlertmanagersTest : public testing::Test {
 protected:
  AlertmanagersTest() {
    net::Route route;
    route.method = net::Method::kPost;
    route.pattern = "/prefix/api/v2/alerts";
    route.role = Role::kPublic;
    route.handler = [this](const net::Request& request) {
      const MutexLock lock(mu_);
      bodies_.emplace_back(request.body);
      changed_.notify_all();
      const int status = statuses_.empty() ? 200 : statuses_.front();
      if (!statuses_.empty()) statuses_.pop_front();
      return net::Response::text(status, "");
    };
    EXPECT_TRUE(router_.add(std::move(route)));
    net::ListenerOptions listener;
    listener.address = "127.0.0.1:0";
    EXPECT_TRUE(server_.listen(listener));
    server_.start();
    io_.start();
  }
  ~AlertmanagersTest() override {
    outside_.stop();
    server_.stop(std::chrono::milliseconds(100));
    pool_.stop();
    io_.stop();
  }
  void set(AlertmanagerSpec spec) {
    spec.path_prefix = "/prefix";
    outside_.set_specs({{"a", std::move(spec)}});
    outside_.set_targets(
        "a",
        {{.source = "0", .targets = {model::Labels{{"__address__", server_.addresses().at(0)}}}}});
  }
  void answer(std::deque<int> statuses) {
    const MutexLock lock(mu_);
    statuses_ = std::move(statuses);
  }
  double counted(const std::string& name) {
    double found = 0;
    registry_.visit([&](std::string_view of, const auto&, double value) {
      if (of == name) found += value;
    });
    return found;
  }
  std::vector<std::string> wait(size_t count) {
    const MutexLock lock(mu_);
    while (bodies_.size() < count) {
      if (!changed_.wait_for_ms(mu_, kLongMs)) break;
    }
    EXPECT_GE(bodies_.size(), count);
    return bodies_;
  }

  SystemClock clock_;
  Registry registry_;
  net::IoThreads io_{1};
  ThreadPool pool_{"test", 1, 100};
  net::Router router_;
  net::Server server_{io_, router_, nullptr, pool_, registry_, clock_, {}};
  Alertmanagers outside_{{.max_batch = 2}, {io_, real_file_system(), clock_, registry_}};
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> bodies_ GUARDED_BY(mu_);
  std::deque<int> statuses_ GUARDED_BY(mu_);  // of the next answers
};

TEST_F(AlertmanagersTest, SendsWhatAnAlertmanagerTakes) {
  set({});
  outside_.send({alert("Down")});
  EXPECT_EQ(wait(1)[0],
            R"([{"labels":{"alertname":"Down","job":"a"},"annotations":{"summary":"s"},)"
            R"("startsAt":"2023-11-14T22:13:20.000Z","endsAt":"2023-11-14T22:17:20.000Z",)"
            R"("generatorURL":"http://b/graph"}])");
  EXPECT_EQ(
      outside_.urls().active,
      (std::vector<std::string>{"http://" + server_.addresses().at(0) + "/prefix/api/v2/alerts"}));
}

TEST_F(AlertmanagersTest, ManyAlertsGoInBatches) {
  set({});
  outside_.send({alert("a"), alert("b"), alert("c")});
  EXPECT_NE(wait(2)[1].find(R"("alertname":"c")"), std::string::npos);
}

TEST_F(AlertmanagersTest, WhatMayPassIsSentAgain) {
  set({});
  answer({503, 429});
  outside_.send({alert("a"), alert("b"), alert("c")});
  const auto bodies = wait(4);
  EXPECT_EQ(bodies[0], bodies[1]);
  EXPECT_EQ(bodies[1], bodies[2]);
  EXPECT_NE(bodies[3].find(R"("alertname":"c")"), std::string::npos) << "in order";
  EXPECT_EQ(counted("binnacle_rule_notifications_errors_total"), 4);
  EXPECT_EQ(counted("binnacle_rule_notifications_dropped_total"), 0);
}

TEST_F(AlertmanagersTest, WhatIsRefusedIsGivenUp) {
  set({});
  answer({400});
  outside_.send({alert("a"), alert("b"), alert("c")});
  EXPECT_NE(wait(2)[1].find(R"("alertname":"c")"), std::string::npos);
  EXPECT_EQ(counted("binnacle_rule_notifications_dropped_total"), 2);
}

TEST_F(AlertmanagersTest, WhatRelabellingTakesOutIsShownAsDropped) {
  AlertmanagerSpec spec;
  model::RelabelSpec drop;
  drop.source_labels = {"zone"};
  drop.regex = "far";
  drop.action = model::RelabelAction::kDrop;
  spec.relabel = {rule(drop)};
  outside_.set_specs({{"a", spec}});
  outside_.set_targets("a",
                       {{.source = "0",
                         .targets = {model::Labels{{"__address__", "near:9093"}},
                                     model::Labels{{"__address__", "far"}, {"zone", "far"}}}}});
  EXPECT_EQ(outside_.urls().active, (std::vector<std::string>{"http://near:9093/api/v2/alerts"}));
  EXPECT_EQ(outside_.urls().dropped, (std::vector<std::string>{"http://far/api/v2/alerts"}));
  outside_.set_targets("a", {});
  EXPECT_TRUE(outside_.urls().dropped.empty());
}

TEST_F(AlertmanagersTest, EachEntryRelabelsItsAlerts) {
  AlertmanagerSpec spec;
  model::RelabelSpec drop;
  drop.source_labels = {"alertname"};
  drop.regex = "quiet";
  drop.action = model::RelabelAction::kDrop;
  spec.alert_relabel = {rule(drop)};
  set(std::move(spec));
  outside_.send({alert("quiet"), alert("loud")});
  const std::string body = wait(1)[0];
  EXPECT_EQ(body.find("quiet"), std::string::npos);
  EXPECT_NE(body.find("loud"), std::string::npos);
}

TEST(AlertmanagerUrl, ComesFromTheTargetsLabels) {
  AlertmanagerSpec spec;
  const auto url = [&](const std::string& address) {
    return alertmanager_url(spec, model::Labels{{"__address__", address}});
  };
  EXPECT_EQ(url("am:9093"), "http://am:9093/api/v2/alerts");
  EXPECT_EQ(url("am"), "http://am:80/api/v2/alerts");
  EXPECT_EQ(url("[::1]:9093"), "http://[::1]:9093/api/v2/alerts");
  spec.scheme = "https";
  spec.path_prefix = "x/";
  EXPECT_EQ(url("[::1]"), "https://[::1]:443/x/api/v2/alerts");
  EXPECT_EQ(url(""), "");
}

class FixedRouter final : public model::AlertSink {
 public:
  Status put(std::vector<model::Alert> alerts) override {
    taken = std::move(alerts);
    return answer;
  }
  std::vector<model::Alert> taken;
  Status answer;
};

TEST_F(AlertmanagersTest, TheNotifierAddsExternalLabels) {
  FixedRouter router;
  AlertNotifier notifier(&router, outside_);
  notifier.set({.external_labels = model::Labels{{"dc", "x"}, {"job", "other"}}});
  ASSERT_TRUE(notifier.put({alert("Down")}));
  ASSERT_EQ(router.taken.size(), 1u);
  EXPECT_EQ(router.taken[0].labels,
            (model::Labels{{"alertname", "Down"}, {"dc", "x"}, {"job", "a"}}));
}

TEST_F(AlertmanagersTest, OnlyARouterThatMayTakeThemLaterIsAskedAgain) {
  FixedRouter router;
  AlertNotifier notifier(&router, outside_);
  router.answer = fail(Code::kInvalidArgument, "too large");
  EXPECT_TRUE(notifier.put({alert("Down")}));
  router.answer = fail(Code::kUnavailable, "full disk");
  EXPECT_FALSE(notifier.put({alert("Down")}));
}

}  // namespace
}  // namespace binnacle::watch::rules
