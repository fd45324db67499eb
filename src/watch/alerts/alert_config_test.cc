#include "watch/alerts/alert_config.h"

#include <gtest/gtest.h>

#include "base/fault_file_system.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kWhole = R"(
global:
  resolve_timeout: 10m
  smtp_smarthost: mail.example.org:587
  smtp_from: watch@example.org
  smtp_auth_password: hunter2
  slack_api_url: https://hooks.example.org/T0/secret
  http_config: {follow_redirects: false}
route:
  receiver: everybody
  group_by: [alertname, cluster]
  group_wait: 10s
  routes:
    - matchers: [team="a", severity=~"critical|page"]
      receiver: pager
      repeat_interval: 1h
      continue: true
      labels: {owner: a}
      routes:
        - match: {service: db}
          match_re: {zone: 'z.*'}
          mute_time_intervals: [nights]
          group_by: ['...']
          labels: {tier: "1"}
    - match: {team: b}
      receiver: mail
inhibit_rules:
  - source_match: {severity: critical}
    target_match_re: {severity: warning|info}
    equal: [cluster]
  - source_matchers: [alertname="NodeDown"]
    target_matchers: [job="engine"]
receivers:
  - name: everybody
    webhook_configs:
      - url: http://127.0.0.1:5001/path?token=secret
        max_alerts: 5
      - url: http://127.0.0.1:5002/
        send_resolved: false
        http_config: {basic_auth: {username: u, password: pw}}
  - name: pager
    slack_configs: [{channel: '#ops'}]
  - name: mail
    email_configs: [{to: on-call@example.org, headers: {subject: hello}}]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '20:00', end_time: '24:00'}]
        weekdays: ['monday:friday', Sunday]
        location: Europe/Berlin
templates: ['*.tmpl']
)";

std::shared_ptr<const AlertConfig> read(std::string_view yaml) {
  FaultFileSystem files;
  auto config = read_alert_config(yaml, "/etc/alerts", files);
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config ? *config : std::make_shared<AlertConfig>();
}

std::string problems_of(std::string_view yaml) {
  FaultFileSystem files;
  const auto config = read_alert_config(yaml, "/etc/alerts", files);
  return config ? "" : config.error().message;
}

std::string with_receiver(std::string_view integration) {
  return "route: {receiver: a}\nreceivers:\n  - name: a\n    " + std::string(integration) + "\n";
}

TEST(AlertConfig, RoutesInheritAndHaveAlertmanagersKeys) {
  const auto config = read(kWhole);
  const Route& root = config->route;
  EXPECT_EQ(root.key, "{}");
  EXPECT_EQ(root.id, "{}");
  EXPECT_EQ(root.group_wait_ms, 10'000);
  EXPECT_EQ(root.group_interval_ms, 300'000);
  ASSERT_EQ(root.routes.size(), 2U);
  const Route& team = root.routes[0];
  EXPECT_EQ(team.key, R"({}/{severity=~"critical|page",team="a"})");
  EXPECT_EQ(team.id, R"({}/{severity=~"critical|page",team="a"}/0)");
  EXPECT_EQ(team.receiver, "pager");
  EXPECT_EQ(team.group_wait_ms, 10'000);
  EXPECT_EQ(team.repeat_interval_ms, 3'600'000);
  EXPECT_EQ(team.group_by, (std::vector<std::string>{"alertname", "cluster"}));
  EXPECT_TRUE(team.continues);
  const Route& database = team.routes.at(0);
  EXPECT_EQ(database.receiver, "pager");
  EXPECT_FALSE(database.continues);
  EXPECT_TRUE(database.group_by_all);
  EXPECT_EQ(database.id,
            R"({}/{severity=~"critical|page",team="a"}/0/{service="db",zone=~"^(?:z.*)$"}/0)");
  EXPECT_EQ(database.labels.size(), 2U);
  EXPECT_EQ(database.mute_time_intervals, std::vector<std::string>{"nights"});
  EXPECT_EQ(root.routes[1].repeat_interval_ms, 4 * 3'600'000);
}

TEST(AlertConfig, ReceiversTakeOverWhatIsGlobal) {
  const auto config = read(kWhole);
  EXPECT_EQ(config->resolve_timeout_ms, 600'000);
  const Receiver& everybody = config->receivers.at("everybody");
  ASSERT_EQ(everybody.integrations.size(), 2U);
  const Integration& first = everybody.integrations[0];
  EXPECT_EQ(first.kind, "webhook");
  EXPECT_TRUE(first.send_resolved);
  EXPECT_FALSE(first.http.follow_redirects);
  EXPECT_EQ(std::get<WebhookConfig>(first.config).max_alerts, 5U);
  const Integration& second = everybody.integrations[1];
  EXPECT_EQ(second.index, 1U);
  EXPECT_FALSE(second.send_resolved);
  EXPECT_TRUE(second.http.follow_redirects);  // an own section takes nothing over
  EXPECT_EQ(second.http.basic_auth->password, "pw");
  const Integration& slack = config->receivers.at("pager").integrations.at(0);
  EXPECT_FALSE(slack.send_resolved);
  EXPECT_EQ(std::get<SlackConfig>(slack.config).api_url.value,
            "https://hooks.example.org/T0/secret");
  EXPECT_EQ(std::get<SlackConfig>(slack.config).title_link,
            R"({{ template "slack.default.titlelink" . }})");
  const auto& mail = std::get<EmailConfig>(config->receivers.at("mail").integrations.at(0).config);
  EXPECT_EQ(mail.from, "watch@example.org");
  EXPECT_EQ(mail.auth_password.value, "hunter2");
  EXPECT_TRUE(mail.require_tls);
  EXPECT_EQ(mail.headers.at(0).first, "Subject");
}

TEST(AlertConfig, InhibitRulesHaveTwoForms) {
  const auto config = read(kWhole);
  ASSERT_EQ(config->inhibit_rules.size(), 2U);
  EXPECT_EQ(config->inhibit_rules[0].target.at(0).to_string(), R"(severity=~"^(?:warning|info)$")");
  EXPECT_EQ(config->inhibit_rules[0].equal, std::vector<std::string>{"cluster"});
  EXPECT_EQ(config->inhibit_rules[1].source.at(0).to_string(), R"(alertname="NodeDown")");
  EXPECT_TRUE(config->warnings.empty()) << config->warnings.at(0);
}

TEST(AlertConfig, AllProblemsAreNamedAtOnceWithTheirLines) {
  const std::string message = problems_of(R"(route:
  receiver: nobody
  matchers: [a="b"]
  group_interval: 0s
  routes:
    - matchers: ['foo bar']
      mute_time_intervals: [never]
      recieve: a
receivers:
  - name: a
    webhok_configs: []
  - name: a
  - name: c
    opsgenie_configs: [{api_key: x}]
  - name: d
    webhook_configs: [{}]
)");
  for (const char* part :
       {"alertmanager.yml:2: route.receiver: no receiver has this name (nobody)",
        "root route has matchers",
        "alertmanager.yml:4: route.group_interval: group_interval is zero",
        "alertmanager.yml:6: route.routes[0].matchers[0]: matchers (foo bar): one of =, !=, =~, !~ "
        "is expected at column 5",
        "no time interval has this name (never)",
        "alertmanager.yml:8: route.routes[0].recieve: unknown key: did you mean receiver?",
        "did you mean webhook_configs?", "two receivers have this name (a)",
        "receivers of kind opsgenie are not here: there are webhook, email", "url is missing"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << "\nin\n" << message;
  }
}

TEST(AlertConfig, RefusesWhatAlertmanagerRefuses) {
  const std::pair<const char*, const char*> kBad[] = {
      {"", "route is missing"},
      {"receivers: [{name: a}]", "route is missing"},
      {"route: {group_by: [a]}\nreceivers: [{name: a}]", "names no receiver"},
      {"route: {receiver: a, continue: true}\nreceivers: [{name: a}]", "has continue"},
      {"route: {receiver: a, group_by: ['...', b]}\nreceivers: [{name: a}]", "groups by all"},
      {"route: {receiver: a, group_by: [b, b]}\nreceivers: [{name: a}]", "stands twice"},
      {"route: {receiver: a, repeat_interval: 0s}\nreceivers: [{name: a}]", "is zero"},
      {"route: {receiver: a, routes: [{match: {'a-b': c}}]}\nreceivers: [{name: a}]",
       "no label name"},
      {"route: {receiver: a, routes: [{match_re: {a: '('}}]}\nreceivers: [{name: a}]",
       "parse regex"},
      {"route: {receiver: a}\nreceivers: [{webhook_configs: []}]", "name is missing"},
      {"route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: b}, {name: b}]",
       "two time intervals"}};
  for (const auto& [yaml, part] : kBad) {
    EXPECT_NE(problems_of(yaml).find(part), std::string::npos) << yaml << "\n" << problems_of(yaml);
  }
}

TEST(AlertConfig, RefusesIncompleteReceivers) {
  const std::pair<const char*, const char*> kBad[] = {
      {"webhook_configs: [{url: 'ftp://x/'}]", "no URL"},
      {"webhook_configs: [{url: 'http://x/', url_file: y}]", "both given"},
      {"webhook_configs: [~]", "url is missing"},
      {"slack_configs: [{channel: a}]", "api_url is missing"},
      {"email_configs: [{to: a}]", "smarthost is missing"},
      {"email_configs: [{to: a, from: b, smarthost: host}]", "no address with a port"},
      {"email_configs: [{to: a, from: b, smarthost: 'h:1', headers: {a: b, A: c}}]", "twice"},
      {"pagerduty_configs: [{client: a}]", "routing_key is missing"},
      {"telegram_configs: [{bot_token: a}]", "chat_id is missing"},
      {"telegram_configs: [{bot_token: a, chat_id: 1, parse_mode: HTMl}]", "unknown value"},
      {"discord_configs: [{}]", "webhook_url is missing"},
      {"msteamsv2_configs: [{webhook_url: 'http://x/', summary: a}]", "unknown key"}};
  for (const auto& [text, part] : kBad) {
    const std::string message = problems_of(with_receiver(text));
    EXPECT_NE(message.find(part), std::string::npos) << text << "\n" << message;
  }
}

TEST(AlertConfig, NegativeChatsStayNumbersInTheOriginal) {
  const auto config = read(with_receiver("telegram_configs: [{bot_token: abc, chat_id: -100123}]"));
  EXPECT_EQ(std::get<TelegramConfig>(config->receivers.at("a").integrations.at(0).config).chat_id,
            -100123);
  EXPECT_NE(config->original.find("chat_id: -100123"), std::string::npos) << config->original;
  EXPECT_EQ(config->original.find("abc"), std::string::npos) << config->original;
}

TEST(AlertConfig, TheOriginalHasNoSecretsAndIsReadAgain) {
  const auto config = read(kWhole);
  for (const char* secret : {"hunter2", "T0/secret", "token=secret", "pw"}) {
    EXPECT_EQ(config->original.find(secret), std::string::npos) << config->original;
  }
  EXPECT_NE(config->original.find("http://127.0.0.1:5001/<secret>"), std::string::npos);
  const auto again = read(config->original);
  EXPECT_EQ(again->route.routes[0].id, config->route.routes[0].id);
  EXPECT_EQ(again->original, config->original);
  ASSERT_FALSE(again->warnings.empty());
  EXPECT_NE(again->warnings[0].find("write the secret itself"), std::string::npos);
}

TEST(AlertConfig, ProgramsAreToldAsOftenAsThereIsSomethingToTell) {
  const auto config = read(R"(
route: {receiver: a}
receivers:
  - name: a
    webhook_configs: [{url: 'http://x/'}]
    discord_configs: [{webhook_url: 'http://x/'}]
x-binnacle: {receivers: [{name: a, exec_configs: [{command: [/bin/true]}]}]}
)");
  for (const Integration& one : config->receivers.at("a").integrations) {
    EXPECT_EQ(one.max_per_minute, one.kind == "discord" ? 60 : 0) << one.kind;
  }
}

TEST(AlertConfig, ExtensionsStandInASecondDocument) {
  const auto config = read(std::string(kWhole) + R"(---
x-binnacle:
  escalations:
    - name: hurry
      steps: [{after: 5m, receiver: pager}, {after: 15m, receiver: mail}]
  maintenance:
    - name: weekly
      matchers: [cluster="a"]
      comment: updates
      time_intervals: [{weekdays: [tuesday], times: [{start_time: '03:00', end_time: '05:00'}]}]
  routes:
    - key: '{}/{severity=~"critical|page",team="a"}'
      escalation: hurry
  receivers:
    - name: pager
      max_per_minute: 6
      exec_configs: [{command: [/usr/bin/page, --now], timeout: 5s}]
)");
  EXPECT_EQ(config->escalations.at("hurry").at(1).after_ms, 900'000);
  EXPECT_EQ(config->maintenance.at(0).intervals.size(), 1U);
  EXPECT_EQ(config->route.escalation, "");
  EXPECT_EQ(config->route.routes[0].escalation, "hurry");
  EXPECT_EQ(config->route.routes[0].routes[0].escalation, "hurry");
  const Receiver& pager = config->receivers.at("pager");
  ASSERT_EQ(pager.integrations.size(), 2U);
  EXPECT_EQ(pager.integrations[0].max_per_minute, 6);
  EXPECT_EQ(std::get<ExecConfig>(pager.integrations[1].config).timeout_ms, 5'000);
  EXPECT_NE(config->original.find("---\nx-binnacle:"), std::string::npos) << config->original;
}

TEST(AlertConfig, ExtensionsInPlaceAreTakenAndNotShownToAmtool) {
  const auto config = read(R"(
x-binnacle: {escalations: [{name: e, steps: [{after: 5m, receiver: a}]}]}
route: {receiver: a, x-binnacle: {escalation: e}}
receivers: [{name: a, x-binnacle: {exec_configs: [{command: [/bin/true]}]}}]
)");
  EXPECT_EQ(config->route.escalation, "e");
  EXPECT_EQ(config->receivers.at("a").integrations.at(0).kind, "exec");
  EXPECT_EQ(config->original.find("x-binnacle"), std::string::npos);
}

TEST(AlertConfig, ProblemsOfTheSecondDocumentHaveTheirLines) {
  const std::string message = problems_of(R"(---
route: {receiver: a}
receivers: [{name: a}]
---
x-binnacle:
  escalations: [{name: e, steps: [{after: 5m, receiver: b}]}]
  routes: [{key: '{}/{x="y"}', escalation: f}]
)");
  for (const char* part :
       {":6: x-binnacle.escalations[0].steps[0]: no receiver has this name (b)",
        ":7: x-binnacle.routes[0]: no route has this name", "no escalation has this name (f)"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(AlertConfig, WhatIsNoYamlHasOneProblem) {
  const std::string message = problems_of("route: {receiver: a\n");
  EXPECT_NE(message.find("bad YAML"), std::string::npos) << message;
  EXPECT_EQ(message.find("route is missing"), std::string::npos) << message;
}

TEST(AlertConfig, WarnsOfWhatIsHardlyMeant) {
  const auto config = read(R"(
route: {receiver: a, group_interval: 1h, repeat_interval: 5m}
receivers: [{name: a}]
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity=~"critical|info"]}
  - {source_matchers: [a="1"], target_matchers: [b="1"]}
  - {source_matchers: [b="1"], target_matchers: [a="1"]}
  - {source_matchers: [c="1"], target_matchers: [d="1"]}
)");
  ASSERT_EQ(config->warnings.size(), 4U);
  EXPECT_NE(config->warnings[0].find("repeat_interval (5m) is shorter"), std::string::npos);
  EXPECT_NE(config->warnings[1].find("matches both sides"), std::string::npos);
  EXPECT_NE(config->warnings[2].find("nobody is told"), std::string::npos);
  EXPECT_NE(config->warnings[3].find("inhibit_rules[2]"), std::string::npos);
}

TEST(Routing, FindsTheLeavesAndTheLabelsOfTheGroup) {
  const auto config = read(kWhole);
  const model::Labels alert{{"alertname", "x"}, {"severity", "page"}, {"team", "a"}};
  auto routes = routes_of(config->route, alert);
  ASSERT_EQ(routes.size(), 1U);  // team a goes on, but nothing else takes it
  EXPECT_EQ(routes[0]->receiver, "pager");
  EXPECT_EQ(group_labels(*routes[0], alert), (model::Labels{{"alertname", "x"}}));
  const model::Labels database{
      {"service", "db"}, {"severity", "page"}, {"team", "a"}, {"zone", "z1"}};
  routes = routes_of(config->route, database);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_TRUE(routes[0]->group_by_all);
  EXPECT_EQ(group_labels(*routes[0], database), database);
  routes = routes_of(config->route, model::Labels{{"team", "c"}});
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0], &config->route);
}

}  // namespace
}  // namespace binnacle::watch::alerts
