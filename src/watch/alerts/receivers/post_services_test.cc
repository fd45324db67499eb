// What each service is posted, and what its answers mean.
#include "watch/alerts/receivers/post_services.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "watch/alerts/testing/receiver_fixture.h"

namespace binnacle::watch::alerts {
namespace {

using nlohmann::json;
using Kind = SendOutcome::Kind;

class PostServicesTest : public ReceiverTest {
 protected:
  template <typename Config>
  SendOutcome tell(const std::string& kind, Config config,
                   const Notification& told = test_notification()) {
    return send(*make(kind, std::move(config)), told);
  }
  json posted() const { return json::parse(body()); }
  Notification resolved() {
    Notification out = test_notification();
    for (model::Alert& alert : out.alerts) alert.ends_at_ms = out.now_ms;
    return out;
  }
  SlackConfig slack() {
    SlackConfig out;
    out.api_url.value = peer_.url();
    out.channel = "#ops";
    out.title = "{{ .Status }}";
    out.text = "plain";
    return out;
  }
  TelegramConfig telegram() {
    TelegramConfig out;
    out.api_url = peer_.url();
    out.bot_token.value = "12:tokentoken";
    out.chat_id = -5;
    out.message = "<b>{{ .GroupLabels.alertname }}</b>";
    out.parse_mode = "HTML";
    return out;
  }
};

TEST_F(PostServicesTest, SlackGetsAnAttachment) {
  SlackConfig config = slack();
  config.fields = {{"a", "{{ .Receiver }}", std::nullopt}, {"b", "c", true}};
  config.actions = {{"button", "go", "http://x", "", "", ""}};
  answer("200 OK", "ok");
  EXPECT_EQ(tell("slack", config).kind, Kind::kSent);
  EXPECT_EQ(posted(), json::parse(R"({"channel": "#ops", "attachments": [{
    "title": "firing", "text": "plain", "fallback": "", "callback_id": "", "footer": "",
    "fields": [{"title": "a", "value": "team.a-hook", "short": false},
               {"title": "b", "value": "c", "short": true}],
    "actions": [{"type": "button", "text": "go", "url": "http://x"}],
    "mrkdwn_in": ["fallback", "pretext", "text"]}]})"));
}

TEST_F(PostServicesTest, SlacksTitleIsCut) {
  SlackConfig config = slack();
  for (int i = 0; i < 1025; ++i) config.title += "ä";
  config.title = config.title.substr(std::string("{{ .Status }}").size());
  answer("200 OK", "ok");
  EXPECT_EQ(tell("slack", config).kind, Kind::kSent);
  const std::string title = posted()["attachments"][0]["title"];
  EXPECT_EQ(title.size(), 1023 * 2 + 3);
  EXPECT_TRUE(title.ends_with("ä\xE2\x80\xA6"));
}

TEST_F(PostServicesTest, SlackRefusesWithStatus200) {
  const std::string is_json = "Content-Type: application/json; charset=utf-8\r\n";
  answer("200 OK", "invalid_payload");
  EXPECT_EQ(tell("slack", slack()).kind, Kind::kFailed);
  answer("200 OK", R"({"ok":false,"error":"channel_not_found"})", is_json);
  EXPECT_EQ(tell("slack", slack()).message, "Slack refused: channel_not_found");
  answer("200 OK", R"({"ok":tr)", is_json);
  EXPECT_EQ(tell("slack", slack()).kind, Kind::kRetry);
  answer("200 OK", R"({"ok":true})", is_json);
  EXPECT_EQ(tell("slack", slack()).kind, Kind::kSent);
}

TEST_F(PostServicesTest, PagerDutyOpensAndClosesOneIncident) {
  PagerDutyConfig config;
  config.url = peer_.url("/v2/enqueue");
  config.routing_key.value = "keykey";
  config.description = "{{ .Status }}";
  config.source = "here";
  config.details = {{"list", "[1, 2]"}, {"text", "{{ .Receiver }}"}};
  config.links = {{"http://x", "x"}, {"", "none"}};
  answer("202 Accepted");
  EXPECT_EQ(tell("pagerduty", config).kind, Kind::kSent);
  const json opened = posted();
  EXPECT_EQ(opened["dedup_key"].get<std::string>().size(), 64);
  json expected = json::parse(R"({"routing_key": "keykey", "dedup_key": "", "event_action":
    "trigger", "payload": {"summary": "firing", "source": "here", "severity": "error",
    "custom_details": {"list": [1, 2], "text": "team.a-hook"}},
    "links": [{"href": "http://x", "text": "x"}]})");
  expected["dedup_key"] = opened["dedup_key"];
  EXPECT_EQ(opened, expected);
  EXPECT_EQ(tell("pagerduty", config, resolved()).kind, Kind::kSent);
  EXPECT_EQ(posted()["event_action"], "resolve");
  EXPECT_EQ(posted()["dedup_key"], opened["dedup_key"]);
  answer("400 Bad Request", "keykey is invalid");
  EXPECT_EQ(tell("pagerduty", config).message, "unexpected status code 400: <redacted> is invalid");
}

TEST_F(PostServicesTest, PagerDutysDetailsAreLeftOutWhereTheyAreTooLarge) {
  PagerDutyConfig config;
  config.url = peer_.url();
  config.routing_key.value = "keykey";
  config.details = {{"large", std::string(600'000, 'x')}};
  EXPECT_EQ(tell("pagerduty", config).kind, Kind::kSent);
  EXPECT_TRUE(posted()["payload"]["custom_details"].contains("error"));
  EXPECT_LT(body().size(), 512'000);
}

TEST_F(PostServicesTest, PagerDutyOfTheFirstVersion) {
  PagerDutyConfig config;
  config.service_key.value = "keykey";
  config.description = "text";
  config.client = "us";
  Counter& truncated = registry_.counter("truncated_total", "Of a test.");
  const auto service = make_pagerduty(
      config, {real_file_system(), {templates_, test_template_data}, truncated}, "http://v1.test/");
  const auto post = service->prepare(test_notification());
  ASSERT_TRUE(post) << post.error().message;
  EXPECT_EQ(post->url, "http://v1.test/");
  json sent = json::parse(post->body);
  sent.erase("incident_key");
  EXPECT_EQ(sent, json::parse(R"({"service_key": "keykey", "event_type": "trigger", "description":
    "text", "event_action": "", "payload": null, "client": "us"})"));
  net::Response flood;
  flood.status = 403;
  EXPECT_EQ(service->judge(flood).kind, Kind::kRetry);
}

TEST_F(PostServicesTest, TeamsGetsACard) {
  TeamsConfig config;
  config.webhook_url.value = peer_.url();
  config.title = "{{ .Status }}";
  config.summary = "sum";
  config.text = "text";
  EXPECT_EQ(tell("msteams", config).kind, Kind::kSent);
  EXPECT_EQ(posted(), json::parse(R"({"@context": "http://schema.org/extensions", "type":
    "MessageCard", "title": "firing", "summary": "sum", "text": "text", "themeColor": "8C1A1A"})"));
  answer("200 OK",
         "Webhook message delivery failed with error: Microsoft Teams endpoint returned "
         "HTTP error 429 with ContextId x");
  EXPECT_EQ(tell("msteams", config).kind, Kind::kRetry);
  config.workflow = true;
  EXPECT_EQ(tell("msteamsv2", config, resolved()).kind, Kind::kSent);
  EXPECT_EQ(posted(), json::parse(R"({"type": "message", "attachments": [{"contentType":
    "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": {"$schema":
    "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2",
    "body": [{"type": "TextBlock", "text": "resolved", "weight": "Bolder", "size": "Medium", "wrap":
    true, "style": "heading", "color": "Good"}, {"type": "TextBlock", "text": "text", "wrap":
    true}], "msteams": {"width": "full"}}}]})"));
}

TEST_F(PostServicesTest, DiscordGetsAnEmbed) {
  DiscordConfig config;
  config.webhook_url.value = peer_.url();
  config.title = "{{ .Status }}";
  config.message = "text";
  config.username = "us";
  Notification told = test_notification();
  told.context = {{"value", "7"}};
  answer("204 No Content");
  EXPECT_EQ(tell("discord", config, told).kind, Kind::kSent);
  EXPECT_EQ(posted(), json::parse(R"({"content": "", "embeds": [{"title": "firing", "description":
    "text\nvalue: 7", "color": 10038562}], "username": "us"})"));
}

TEST_F(PostServicesTest, TelegramGetsAMessage) {
  answer("200 OK", R"({"ok":true,"result":{}})");
  EXPECT_EQ(tell("telegram", telegram()).kind, Kind::kSent);
  EXPECT_TRUE(request().starts_with("POST /bot12:tokentoken/sendMessage ")) << request();
  EXPECT_EQ(posted(), json::parse(R"({"chat_id": "-5", "text": "<b>Disk&lt;Full&gt;</b>",
    "disable_web_page_preview": "true", "parse_mode": "HTML"})"));
}

TEST_F(PostServicesTest, TelegramSaysHowLongToWait) {
  answer("429 Too Many Requests",
         R"({"ok":false,"error_code":429,"parameters":{"retry_after":13}})");
  const SendOutcome flood = tell("telegram", telegram());
  EXPECT_EQ(flood.kind, Kind::kRetry);
  EXPECT_EQ(flood.retry_after_ms, 13'000);
  answer("401 Unauthorized", R"({"ok":false,"description":"bot12:tokentoken unknown"})");
  const SendOutcome refused = tell("telegram", telegram());
  EXPECT_EQ(refused.kind, Kind::kRetry);
  EXPECT_EQ(refused.message.find("tokentoken"), std::string::npos) << refused.message;
}

TEST_F(PostServicesTest, TelegramsHtmlIsNotCutInTheMiddle) {
  TelegramConfig config = telegram();
  config.message = "<b>" + std::string(5'000, 'x') + "</b>";
  answer("200 OK", R"({"ok":true})");
  EXPECT_EQ(tell("telegram", config).kind, Kind::kSent);
  EXPECT_NE(posted()["text"].get<std::string>().find("longer than"), std::string::npos);
  config.parse_mode = "";
  answer("200 OK", R"({"ok":true})");
  EXPECT_EQ(tell("telegram", config).kind, Kind::kSent);
  EXPECT_EQ(posted()["text"].get<std::string>().size(), 4'095 + 3);
}

TEST_F(PostServicesTest, AProgramFindsTheNotificationOnItsInput) {
  const std::string file = testing::TempDir() + "binnacle-exec-notifier";
  ExecConfig config;
  config.command = {"sh", "-c", "cat > " + file + "; echo $BINNACLE_STATUS >> " + file};
  EXPECT_EQ(tell("exec", config).kind, Kind::kSent);
  const auto text = real_file_system().read_file(file);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->ends_with("\nfiring\n"));
  EXPECT_EQ(json::parse(text->substr(0, text->find('\n')))["version"], "4");
  config.command = {"sh", "-c", "echo broken >&2; exit 1"};
  const SendOutcome broken = tell("exec", config);
  EXPECT_EQ(broken.kind, Kind::kFailed);
  EXPECT_EQ(broken.message, "sh: exit code 1: broken");
  config.command = {"sh", "-c", "exit 75"};
  EXPECT_EQ(tell("exec", config).kind, Kind::kRetry);
  config.command = {"sleep", "1000"};
  config.timeout_ms = 50;
  EXPECT_EQ(tell("exec", config).kind, Kind::kRetry);
  config.command = {"/no/such/program"};
  EXPECT_EQ(tell("exec", config).kind, Kind::kFailed);
}

}  // namespace
}  // namespace binnacle::watch::alerts
