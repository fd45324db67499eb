// Alertmanager's default templates, as the receivers send them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "watch/alerts/receivers/mail_text.h"
#include "watch/alerts/template_data.h"
#include "watch/alerts/template_functions.h"
#include "watch/alerts/testing/receiver_fixture.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kTitle = "[FIRING:2] Disk<Full> eu (page)";

class DefaultMessages : public ReceiverTest {
 protected:
  NotificationTemplates defaults() {
    const auto set = notification_templates({}, real_file_system(), clock_);
    EXPECT_TRUE(set) << set.error().message;
    return {*set, template_data};
  }
  template <typename Config>
  nlohmann::json posted(std::string kind, Config config) {
    Integration integration{.kind = std::move(kind)};
    integration.config = std::move(config);
    NotifierTools with = tools();
    with.templates = defaults();
    const auto notifier = make_notifier("team", integration, with);
    answer("200 OK", "ok");
    const SendOutcome out = send(*notifier);
    EXPECT_EQ(out.kind, SendOutcome::Kind::kSent) << out.message;
    return nlohmann::json::parse(body());
  }
};

TEST_F(DefaultMessages, Slack) {
  SlackConfig config;
  config.api_url.value = peer_.url();
  config.title = R"({{ template "slack.default.title" . }})";
  config.color = R"({{ template "slack.default.color" . }})";
  config.fallback = R"({{ template "slack.default.fallback" . }})";
  const auto attachment = posted("slack", config)["attachments"][0];
  EXPECT_EQ(attachment["title"], kTitle);
  EXPECT_EQ(attachment["color"], "danger");
  EXPECT_TRUE(attachment["fallback"].get<std::string>().starts_with(kTitle)) << attachment;
}

TEST_F(DefaultMessages, PagerDuty) {
  PagerDutyConfig config;
  config.url = peer_.url();
  config.routing_key.value = "keykey";
  config.description = R"({{ template "pagerduty.default.description" .}})";
  config.details = {{"num_firing", "{{ .Alerts.Firing | len }}"}};
  const auto payload = posted("pagerduty", config)["payload"];
  EXPECT_EQ(payload["summary"], kTitle);
  EXPECT_EQ(payload["custom_details"]["num_firing"], "2");
}

TEST_F(DefaultMessages, Mail) {
  EmailConfig config;
  config.to = "a@b";
  config.from = "c@d";
  config.html = R"({{ template "email.default.html" . }})";
  const auto mail =
      mail_of(config, test_notification(), defaults(), std::string(64, 'd'), "h.test");
  ASSERT_TRUE(mail) << mail.error().message;
  EXPECT_TRUE(mail->text.starts_with("Subject: " + std::string(kTitle) + "\r\n")) << mail->text;
  EXPECT_NE(mail->text.find("Disk&lt;Full&gt;"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::watch::alerts
