#include "watch/alerts/template_check.h"

#include <gtest/gtest.h>

#include "base/fault_file_system.h"

namespace binnacle::watch::alerts {
namespace {

Status check(std::string_view yaml) {
  FaultFileSystem files;
  const auto config = read_alert_config(yaml, "/etc", files);
  EXPECT_TRUE(config) << config.error().message;
  return config ? check_templates(**config, TemplateSet()) : Status();
}

TEST(TemplateCheck, DefaultsParse) {
  EXPECT_TRUE(check(R"(
route: {receiver: a, labels: {x: '{{ .CommonLabels.y }}'}}
receivers:
  - name: a
    webhook_configs: [{url: 'http://x/{{ .GroupLabels.a }}'}]
    slack_configs: [{api_url: 'http://x/', fields: [{title: a, value: '{{ len .Alerts }}'}]}]
    email_configs: [{to: a, from: b, smarthost: 'c:25'}]
    pagerduty_configs: [{routing_key: a}]
    telegram_configs: [{bot_token: a, chat_id: 1}]
    discord_configs: [{webhook_url: 'http://x/'}]
    msteams_configs: [{webhook_url: 'http://x/'}]
    msteamsv2_configs: [{webhook_url: 'http://x/'}]
)"));
}

TEST(TemplateCheck, EveryBrokenOneIsNamed) {
  const Status status = check(R"(
route: {receiver: a, routes: [{match: {a: b}, labels: {x: '{{ nothing }}'}}]}
receivers:
  - name: a
    slack_configs: [{api_url: 'http://x/'}, {api_url: 'http://x/', title: '{{ if }}'}]
    email_configs: [{to: a, from: b, smarthost: 'c:25', headers: {Subject: '{{ .A'}}]
)");
  ASSERT_FALSE(status);
  for (const char* part : {"receivers.a.slack[1].title", "receivers.a.email[0].headers.Subject",
                           "route {}/{a=\"b\"}: labels.x"}) {
    EXPECT_NE(status.error().message.find(part), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
