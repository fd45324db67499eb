// For tests of receivers: a server that keeps what it is told and answers as the test says, a
// notification of two alerts, and templates that know a few of its fields.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "net/coroutine_test_loop.h"
#include "watch/alerts/receivers/notifier_factory.h"

namespace binnacle::watch::alerts {

inline TemplateValue test_template_data(const Notification& told) {
  std::map<std::string, std::string, std::less<>> labels;
  for (const model::Label& label : told.group_labels)
    labels.emplace(std::string(label.name), std::string(label.value));
  return TemplateValue::Map{{"Status", told.firing() ? "firing" : "resolved"},
                            {"Receiver", told.receiver},
                            {"GroupLabels", template_text_map(std::move(labels))}};
}

inline Notification test_notification() {
  Notification out;
  out.receiver = "team.a-hook";
  out.group_key = R"({}/{severity="page"}:{alertname="Disk<Full>", cluster="eu"})";
  out.group_labels = {{"alertname", "Disk<Full>"}, {"cluster", "eu"}};
  out.external_url = "http://am.example/am";
  out.now_ms = 1'767'323'046'000;  // 2026-01-02T03:04:06Z
  model::Alert first;
  first.labels = {
      {"alertname", "Disk<Full>"}, {"cluster", "eu"}, {"instance", "a:1"}, {"severity", "page"}};
  first.annotations = {{"common", "yes"}, {"summary", "über & \"quoted\" <b>"}};
  first.starts_at_ms = 1'767'323'045'670;
  first.generator_url = "http://prom/graph?g0.expr=a%3E1&g0.tab=1";
  model::Alert second = first;
  second.labels = {
      {"alertname", "Disk<Full>"}, {"cluster", "eu"}, {"instance", "b:1"}, {"severity", "page"}};
  second.annotations = {{"common", "yes"}, {"summary", "two"}};
  second.starts_at_ms = 1'767'323'046'000;
  second.generator_url = "";
  out.alerts = {first, second};
  return out;
}

class ReceiverTest : public testing::Test {
 protected:
  NotifierTools tools() {
    return {real_file_system(), clock_, registry_, pool_, {templates_, test_template_data},
            "host.test"};
  }
  std::unique_ptr<Notifier> make(Integration integration) {
    return make_notifier("team", integration, tools());
  }
  template <typename Config>
  std::unique_ptr<Notifier> make(std::string kind, Config config) {
    Integration integration;
    integration.kind = std::move(kind);
    integration.config = std::move(config);
    return make(std::move(integration));
  }
  SendOutcome send(Notifier& notifier, const Notification& told = test_notification(),
                   int64_t timeout_ms = 10'000) {
    return loop_.run(notifier.send(told, timeout_ms));
  }

  // "200 OK", with a body; for the next request that has no answer yet.
  void answer(const std::string& status, const std::string& body = "",
              const std::string& fields = "") {
    answers_.push_back("HTTP/1.1 " + status + "\r\n" + fields +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  const std::string& request() const { return requests_.back(); }
  std::string body() const { return request().substr(request().find("\r\n\r\n") + 4); }

  net::TestLoop loop_;
  SystemClock clock_;
  Registry registry_;
  ThreadPool pool_{"test", 1, 100};
  const std::shared_ptr<TemplateSet> templates_ = std::make_shared<TemplateSet>();
  std::deque<std::string> answers_;
  std::vector<std::string> requests_;
  net::ScriptedPeer peer_{loop_,
                          [this](net::TestSocket& socket, int) -> boost::asio::awaitable<void> {
                            while (true) {
                              std::string heard = co_await net::read_request(socket);
                              if (heard.empty()) co_return;
                              requests_.push_back(std::move(heard));
                              std::string said = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                              if (!answers_.empty()) {
                                said = answers_.front();
                                answers_.pop_front();
                              }
                              co_await net::say(socket, said);
                            }
                          }};
};

}  // namespace binnacle::watch::alerts
