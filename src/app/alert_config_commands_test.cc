#include "app/alert_config_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "app/alerts_settings.h"
#include "base/fault_file_system.h"

namespace binnacle::app {
namespace {

using testing::HasSubstr;

constexpr const char* kConfig = R"(
route:
  receiver: ops
  routes:
  - matchers: [severity="critical"]
    receiver: pager
    continue: true
  - matchers: [team=~"db|store"]
    receiver: db
receivers:
- name: ops
- name: pager
- name: db
)";

class AlertConfigCommandsTest : public testing::Test {
 protected:
  AlertConfigCommandsTest() { EXPECT_TRUE(files_.write_file_atomically("am.yml", kConfig)); }

  int routes(const RoutesCommand& command) {
    std::ostringstream out, err;
    const int code = show_alert_routes(command, files_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  int check(const std::vector<std::string>& paths) {
    std::ostringstream out, err;
    const int code = check_alert_configs(paths, files_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  FaultFileSystem files_{1};
  std::string out_, err_;
};

TEST_F(AlertConfigCommandsTest, ChecksFiles) {
  EXPECT_EQ(check({"am.yml"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("am.yml: fine\n  3 routes, 3 receivers"));
  EXPECT_TRUE(files_.write_file_atomically("bad.yml", "route: {receiver: none}\nreceivers: []\n"));
  EXPECT_EQ(check({"bad.yml", "am.yml"}), 1);
  EXPECT_THAT(err_, HasSubstr("bad.yml"));
  EXPECT_THAT(err_, HasSubstr("none"));
  EXPECT_THAT(out_, HasSubstr("am.yml: fine"));
  EXPECT_EQ(check({"absent.yml"}), 1);
}

TEST_F(AlertConfigCommandsTest, TellsWhoGetsAnAlert) {
  EXPECT_EQ(routes({.config_file = "am.yml", .labels = {"severity=critical", "team=db"}}), 0);
  EXPECT_THAT(out_, HasSubstr("receivers: pager,db\n"));
  EXPECT_THAT(out_, HasSubstr("{severity=\"critical\"} -> pager (continues)   <- this alert\n"));
  EXPECT_EQ(routes({.config_file = "am.yml", .labels = {"team=x"}, .verify_receivers = "ops"}), 0);
  EXPECT_EQ(routes({.config_file = "am.yml", .labels = {"team=x"}, .verify_receivers = "db"}), 1);
  EXPECT_THAT(err_, HasSubstr("db"));
  EXPECT_EQ(routes({.config_file = "am.yml", .labels = {"team=~x"}}), 1);
  EXPECT_EQ(routes({.config_file = "am.yml"}), 0);
  EXPECT_THAT(out_, HasSubstr("default -> ops\n"));
}

TEST_F(AlertConfigCommandsTest, WithoutAFileNobodyIsTold) {
  const auto config = load_alert_config("", files_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ((*config)->receivers.size(), 1U);
  EXPECT_TRUE((*config)->receivers.begin()->second.integrations.empty());
}

}  // namespace
}  // namespace binnacle::app
