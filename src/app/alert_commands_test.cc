#include "app/alert_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/fault_file_system.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/server.h"
#include "store/access/testing/access_fixture.h"
#include "watch/alerts/api/alert_api.h"
#include "watch/alerts/testing/memory_alert_service.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class AlertCommandsTest : public testing::Test {
 protected:
  AlertCommandsTest() {
    const watch::alerts::AlertApiTools tools{.service = service,
                                             .clock = clock,
                                             .audit = *access.audit,
                                             .intake = service,
                                             .pool = pool};
    CHECK(watch::alerts::register_alert_api(router, tools));
    server.emplace(io, router, access.guard.get(), pool, access.state.registry,
                   access.state.system_clock, net::ServerLimits{});
    CHECK(server->listen({.address = "127.0.0.1:0", .groups = {}}));
    server->start();
    io.start();
  }
  ~AlertCommandsTest() override {
    server->stop(std::chrono::milliseconds(1'000));
    pool.stop();
    io.stop();
  }

  int run(AlertCommand command) {
    if (command.server == AlertCommand().server)
      command.server = "http://" + server->addresses().front() + "/";
    std::istringstream in(in_);
    std::ostringstream out, err;
    const int code = run_alert_command(command, files, clock, in, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  // Two hours ago.
  std::string raise(model::Labels labels, std::string_view summary = "") {
    model::Alert alert;
    alert.labels = labels;
    if (!summary.empty()) alert.annotations = model::Labels{{"summary", summary}};
    alert.starts_at_ms = clock.wall_ms() - 2 * 3'600'000;
    EXPECT_TRUE(service.put({alert}));
    return fmt::format("{:016x}", service.views[labels.packed()].fingerprint);
  }

  SimulatedClock clock;
  watch::alerts::MemoryAlertService service{clock};
  FaultFileSystem files{1};
  std::string in_, out_, err_;

  store::access::AccessFixture access;
  net::IoThreads io{1};
  ThreadPool pool{"test", 1, 16};
  net::Router router;
  std::optional<net::Server> server;
};

TEST_F(AlertCommandsTest, ListsWhatNobodyLooksAfterFirst) {
  EXPECT_EQ(run({}), 0) << err_;
  EXPECT_EQ(out_, "no alerts\n");
  raise({{"alertname", "Slow"}, {"severity", "warning"}, {"job", "api"}});
  raise({{"alertname", "Full"}, {"severity", "critical"}}, "/var is\n97 % full");
  const model::Labels quiet{{"alertname", "Quiet"}, {"severity", "critical"}};
  raise(quiet);
  service.views[quiet.packed()].silenced_by = {"s1"};
  EXPECT_EQ(run({}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("2 firing, 1 silenced\n"));
  EXPECT_THAT(out_, HasSubstr("firing    critical  Full   2h     /var is 97 % full\n"));
  EXPECT_THAT(out_, HasSubstr("firing    warning   Slow   2h     {job=\"api\"}\n"));
  EXPECT_LT(out_.find("Full"), out_.find("Slow"));
  EXPECT_LT(out_.find("Slow"), out_.find("Quiet"));
  EXPECT_EQ(run({.what = {"severity=critical"}, .receiver = "t.*", .firing_only = true}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("Slow")));
  EXPECT_EQ(service.asked.receiver_regex, "t.*");
  EXPECT_FALSE(service.asked.silenced);
  EXPECT_EQ(run({.json = true}), 0);
  EXPECT_EQ(json::parse(out_).size(), 3U);
}

TEST_F(AlertCommandsTest, AcknowledgesByIdAndByMatchers) {
  const std::string id = raise({{"alertname", "Full"}});
  raise({{"alertname", "Slow"}});
  EXPECT_EQ(run({.action = AlertAction::kAck,
                 .what = {id.substr(0, 8)},
                 .by = "ann",
                 .text = "on it",
                 .length = "1h"}),
            0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("1 acknowledged"));
  EXPECT_EQ(run({.action = AlertAction::kShow, .what = {id}}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("acknowledged  by ann at 2023-11-14 22:13:20, until 2023-11-14 "
                              "23:13:20: on it"));
  EXPECT_EQ(run({.action = AlertAction::kAck, .what = {"alertname=~\".+\""}}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("2 acknowledged"));
  EXPECT_EQ(run({.action = AlertAction::kUnack, .what = {id}}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 firing"));
  EXPECT_EQ(run({.action = AlertAction::kAck, .what = {"ffff0000"}}), 1);
  EXPECT_THAT(err_, HasSubstr("ffff0000"));
  EXPECT_EQ(run({.action = AlertAction::kAck, .what = {"alertname=none"}}), 1);
}

TEST_F(AlertCommandsTest, SilencesAreAddedListedExpiredAndMoved) {
  AlertCommand add{.action = AlertAction::kSilenceAdd,
                   .what = {"job=~\"a.*\"", "severity!=critical"},
                   .by = "ann",
                   .text = "disk",
                   .length = "2h"};
  EXPECT_EQ(run(add), 0) << err_;
  EXPECT_EQ(out_, "silence-1\n");
  EXPECT_EQ(service.stored[0].ends_at_ms, clock.wall_ms() + 2 * 3'600'000);
  EXPECT_EQ(run({.action = AlertAction::kSilenceList}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("job=~\"a.*\" severity!=\"critical\"  disk"));
  EXPECT_THAT(out_, HasSubstr("active"));
  EXPECT_EQ(run({.action = AlertAction::kSilenceExport, .file = "silences.json"}), 0) << err_;
  EXPECT_EQ(run({.action = AlertAction::kSilenceExpire, .what = {"silence-1"}}), 0) << err_;
  EXPECT_EQ(run({.action = AlertAction::kSilenceList}), 0);
  EXPECT_EQ(out_, "no silences\n");
  EXPECT_EQ(run({.action = AlertAction::kSilenceList, .all = true}), 0);
  EXPECT_THAT(out_, HasSubstr("expired"));
  service.stored.clear();
  EXPECT_EQ(run({.action = AlertAction::kSilenceImport, .file = "silences.json"}), 0) << err_;
  EXPECT_EQ(out_, "1 of 1 imported\n");
  ASSERT_EQ(service.stored.size(), 1U);
  EXPECT_EQ(service.stored[0].comment, "disk");
  in_ = R"([{"matchers": []}])";
  EXPECT_EQ(run({.action = AlertAction::kSilenceImport}), 1);
  EXPECT_THAT(err_, HasSubstr("silence 0: matchers"));
  in_ = "no json";
  EXPECT_EQ(run({.action = AlertAction::kSilenceImport}), 1);
  EXPECT_EQ(run({.action = AlertAction::kSilenceExpire, .what = {"none"}}), 1);
}

TEST_F(AlertCommandsTest, ASilenceOfOneAlertHasAllItsLabels) {
  const std::string id = raise({{"alertname", "Full"}, {"job", "a"}});
  EXPECT_EQ(run({.action = AlertAction::kSilenceAdd,
                 .what = {id},
                 .by = "ann",
                 .text = "known",
                 .length = "1h"}),
            0)
      << err_;
  ASSERT_EQ(service.stored[0].matchers.size(), 2U);
  EXPECT_EQ(service.stored[0].matchers[0].to_string(), "alertname=\"Full\"");
}

TEST_F(AlertCommandsTest, HistoryAndReceivers) {
  service.entries.push_back({.id = 1,
                             .time_ms = clock.wall_ms(),
                             .kind = "notified",
                             .labels = model::Labels{{"alertname", "Full"}},
                             .receiver = "team",
                             .text = "webhook[0]"});
  EXPECT_EQ(run({.action = AlertAction::kHistory,
                 .what = {"alertname=Full"},
                 .length = "1h",
                 .kind = "notified"}),
            0)
      << err_;
  EXPECT_THAT(out_,
              HasSubstr("2023-11-14 22:13:20  notified  {alertname=\"Full\"}  team      webhook"));
  EXPECT_EQ(service.asked_history.from_ms, clock.wall_ms() - 3'600'000);
  service.configured->receivers["team"] = {.name = "team"};
  service.configured->receivers["team"].integrations.push_back({.kind = "webhook"});
  EXPECT_EQ(run({.action = AlertAction::kReceivers}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("team      webhook[0]"));
  EXPECT_EQ(run({.action = AlertAction::kTestReceiver, .what = {"team"}}), 1);
  EXPECT_THAT(out_, HasSubstr("slack[0]  failed: 401: bad token"));
  EXPECT_EQ(run({.action = AlertAction::kTestReceiver, .what = {"none"}}), 1);
}

TEST_F(AlertCommandsTest, NobodyThereIsTwo) {
  EXPECT_EQ(run({.server = "http://127.0.0.1:1"}), 2);
  EXPECT_THAT(err_, HasSubstr("binnacle alert: "));
  EXPECT_EQ(run({.what = {"{{"}}), 1);
}

}  // namespace
}  // namespace binnacle::app
