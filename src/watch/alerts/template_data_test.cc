#include "watch/alerts/template_data.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "watch/alerts/testing/template_fixture.h"

namespace binnacle::watch::alerts {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Templates : public TemplatesTest {
 protected:
  std::string expand(std::string_view text, TemplateEscape escape = TemplateEscape::kNone) {
    const auto out = expanded(text, escape);
    return out ? *out : "ERROR " + out.error().message;
  }
};

TEST_F(Templates, SeeTheNotification) {
  EXPECT_EQ(expand("{{ .Receiver }} {{ .Status }} {{ len .Alerts }} {{ .ExternalURL }}"),
            R"(team\.x-1 firing 2 http://alerts.example)");
  EXPECT_EQ(expand("{{ len .Alerts.Firing }} {{ len .Alerts.Resolved }} {{ .NotificationReason }}"),
            "1 1 first");
  EXPECT_EQ(
      expand("{{ (index .Alerts 0).Labels.instance }} {{ (index .Alerts.Resolved 0).Status }}"),
      "a resolved");
  EXPECT_EQ(expand("{{ range .Alerts }}{{ .Fingerprint }} {{ end }}"),
            fmt::format("{:016x} {:016x} ",
                        model::alert_fingerprint(template_notification().alerts[0].labels),
                        model::alert_fingerprint(template_notification().alerts[1].labels)));
  EXPECT_EQ(expand("{{ .RouteLabels.team }} {{ range .Context }}{{ .Name }}={{ .Value }}{{ end }}"),
            "x value=0");
  EXPECT_EQ(expand("{{ (index .Alerts 0).EndsAt.IsZero }} {{ (index .Alerts 0).EndsAt }}"),
            "true 0001-01-01 00:00:00 +0000 UTC");
  EXPECT_THAT(expand("{{ .Nope }}"), HasSubstr("there is no field or method Nope"));
}

TEST_F(Templates, KeyValuesHaveAlertmanagersMethods) {
  EXPECT_EQ(expand("{{ .CommonLabels }}|{{ .CommonAnnotations }}"),
            "alertname=Down, job=node|runbook=r");
  EXPECT_EQ(expand("{{ .CommonLabels.Names }} {{ .CommonLabels.Values | join \"-\" }} "
                   "{{ .CommonLabels.Names.Join \"+\" }}"),
            "[alertname job] Down-node alertname+job");
  EXPECT_EQ(expand("{{ (.CommonLabels.Remove .GroupLabels.Names) }} "
                   "{{ .CommonLabels.Remove (stringSlice \"job\") }}"),
            "job=node alertname=Down");
  EXPECT_EQ(expand("{{ range $k, $v := .CommonLabels }}{{ $k }}={{ $v }};{{ end }}"
                   "{{ .CommonLabels.none }}{{ index .CommonLabels \"job\" }}"),
            "alertname=Down;job=node;node");
  EXPECT_EQ(
      expand(
          "{{ .CommonLabels.SortedPairs.Names }} {{ (index .CommonLabels.SortedPairs 1).Value }}"),
      "[alertname job] node");
  EXPECT_EQ(expand("{{ if .CommonLabels.Remove .CommonLabels.Names }}some{{ else }}none{{ end }}"),
            "none");
}

TEST_F(Templates, HaveAlertmanagersFunctions) {
  EXPECT_EQ(expand("{{ toUpper \"a\" }}{{ toLower \"B\" }} {{ title \"aB cD\" }} [{{ trimSpace \" "
                   "x \\n\" }}]"),
            "Ab Ab Cd [x]");
  EXPECT_EQ(expand("{{ match \"^a.*\" \"abc\" }} {{ reReplaceAll \"(b)\" \"<$1>\" \"abc\" }}"),
            "true a<b>c");
  EXPECT_EQ(
      expand(
          "{{ urlUnescape \"a%20b+c\" }} {{ base64encode \"a?>\" }} {{ base64decode \"YT8-\" }}"),
      "a b c YT8- a?>");
  const std::string time = "(index .Alerts 0).StartsAt";
  EXPECT_EQ(expand("{{ " + time + " | date \"15:04:05\" }} {{ " + time +
                   " | tz \"Europe/Berlin\" | date \"15:04 MST\" }}"),
            "22:11:49 23:11 CET");
  EXPECT_EQ(
      expand("{{ since " + time + " }} {{ since " + time + " | humanizeDuration }} {{ now.Unix }}"),
      "1m30.123s 1m 30s 1700000000");
  EXPECT_EQ(expand("{{ toJson .CommonLabels }} {{ toJson (list 1 2.5 \"a\" nil true) }}"),
            R"({"alertname":"Down","job":"node"} [1,2.5,"a",null,true])");
  EXPECT_EQ(
      expand("{{ toJson (index .Alerts 1).StartsAt }} {{ toJson (dict \"a\" (append (list) 1)) }}"),
      R"("2023-11-14T22:12:20Z" {"a":[1]})");
  EXPECT_THAT(
      expand("{{ toJson . }}"),
      HasSubstr(R"({"receiver":"team\\.x-1","status":"firing","alerts":[{"status":"firing")"));
  EXPECT_THAT(expand("{{ tz \"No/Where\" now }}"), HasSubstr("unknown time zone"));
  EXPECT_THAT(expand("{{ urlUnescape \"%zz\" }}"), HasSubstr("invalid URL escape"));
}

TEST_F(Templates, DefaultsCarryTheFacts) {
  EXPECT_EQ(expand("{{ template \"__subject\" . }}"), "[FIRING:1] Down (node)");
  EXPECT_EQ(
      expand("{{ template \"slack.default.title\" . }} {{ template \"slack.default.color\" . }}"),
      "[FIRING:1] Down (node) danger");
  EXPECT_EQ(expand("{{ template \"slack.default.titlelink\" . }}"),
            "http://alerts.example/#/alerts?receiver=team%5C.x-1");
  for (const char* name : {"telegram.default.message", "discord.default.message",
                           "msteams.default.text", "opsgenie.default.description"}) {
    const std::string text = expand(fmt::format("{{{{ template \"{}\" . }}}}", name));
    for (const char* fact : {"Firing", "Resolved", "instance: a", "instance: b",
                             "summary: b is down", "http://prom/graph?a=1&b=2"})
      EXPECT_THAT(text, HasSubstr(fact)) << name;
  }
  EXPECT_EQ(expand("{{ template \"jira.default.priority\" . }}"), "");
}

TEST_F(Templates, HtmlIsEscaped) {
  const std::string html = expand("{{ template \"email.default.html\" . }}", TemplateEscape::kHtml);
  EXPECT_THAT(html, HasSubstr("a is &lt;down&gt; &amp;"));
  EXPECT_THAT(html, HasSubstr("href=\"http://prom/graph?a=1&amp;b=2\""));
  EXPECT_THAT(html, Not(HasSubstr("<down>")));
  EXPECT_THAT(html, HasSubstr("Firing (1)"));
}

TEST(NotificationTemplates, FilesReplaceDefaults) {
  const SimulatedClock clock;
  FaultFileSystem files;
  ASSERT_TRUE(files.write_file_atomically("/a.tmpl", "{{ define \"__subject\" }}mine{{ end }}"));
  ASSERT_TRUE(files.write_file_atomically("/bad.tmpl", "\n{{ nosuch }}"));
  const auto set = notification_templates({"/a.tmpl"}, files, clock);
  ASSERT_TRUE(set);
  EXPECT_EQ(*(*set)->expand("t", "{{ template \"slack.default.title\" . }}",
                            template_data(template_notification())),
            "mine");
  const auto bad = notification_templates({"/bad.tmpl"}, files, clock);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "/bad.tmpl:2:4: there is no function \"nosuch\"");
}

}  // namespace
}  // namespace binnacle::watch::alerts
