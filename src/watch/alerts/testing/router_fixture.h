// A router on a state file of its own, with notifiers that keep what they are told. The clock is
// simulated unless a test wants threads. One test thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "net/io_threads.h"
#include "store/state/testing/state_fixture.h"
#include "watch/alerts/alert_router.h"

namespace binnacle::watch::alerts {

// What fake notifiers were told, and what they are to answer.
struct FakeReceivers {
  struct Told {
    std::string url;
    Notification notification;
  };
  // By the URL of the webhook; nothing: sent.
  using Answer = std::function<SendOutcome(const Notification&)>;

  std::vector<Told> take() EXCLUDES(mu) {
    const MutexLock lock(mu);
    return std::exchange(told, {});
  }
  void answer(const std::string& url, Answer with) EXCLUDES(mu) {
    const MutexLock lock(mu);
    answers[url] = std::move(with);
  }
  SendOutcome tell(const std::string& url, const Notification& notification) EXCLUDES(mu) {
    const MutexLock lock(mu);
    const auto it = answers.find(url);
    SendOutcome outcome = it == answers.end() ? SendOutcome{} : it->second(notification);
    if (outcome.kind == SendOutcome::Kind::kSent) told.push_back({url, notification});
    came.notify_all();
    return outcome;
  }
  // Waits until so many were told, ten seconds at most.
  bool await(size_t count) EXCLUDES(mu) {
    const MutexLock lock(mu);
    while (told.size() < count) {
      if (!came.wait_for_ms(mu, 10'000)) return false;
    }
    return true;
  }

  Mutex mu;
  CondVar came;
  std::vector<Told> told GUARDED_BY(mu);
  std::map<std::string, Answer> answers GUARDED_BY(mu);
};

class FakeNotifier final : public Notifier {
 public:
  FakeNotifier(std::string url, FakeReceivers& receivers)
      : url_(std::move(url)), receivers_(receivers) {}
  boost::asio::awaitable<SendOutcome> send(const Notification& notification, int64_t) override {
    co_return receivers_.tell(url_, notification);
  }

 private:
  const std::string url_;
  FakeReceivers& receivers_;
};

inline NotifierFactory fake_notifiers(FakeReceivers& receivers) {
  return [&receivers](const std::string&, const Integration& integration) {
    return std::make_unique<FakeNotifier>(std::get<WebhookConfig>(integration.config).url.value,
                                          receivers);
  };
}

inline std::shared_ptr<const AlertConfig> alert_config(const std::string& yaml) {
  auto read = read_alert_config(yaml, "/", real_file_system());
  if (!read) check_failed(__FILE__, __LINE__, read.error().message.c_str());
  return *read;
}

struct RouterFixture {
  explicit RouterFixture(const std::string& yaml, AlertLimits with = {})
      : state(migrations()), limits(with), config(alert_config(yaml)) {
    io.start();
    open();
  }
  ~RouterFixture() {
    router.reset();
    io.stop();
  }

  static std::vector<store::state::Migration> migrations() {
    const auto all = alert_migrations();
    return {all.begin(), all.end()};
  }
  void open(store::state::EventStore* events = nullptr) {
    router.reset();
    auto opened =
        AlertRouter::open({.limits = limits, .external_url = "http://binnacle"},
                          {.store = *state.store,
                           .events = events,
                           .io = io,
                           .clock = clock ? static_cast<const Clock&>(*clock) : state.system_clock,
                           .random = random,
                           .registry = registry},
                          config, fake_notifiers(receivers));
    if (!opened) check_failed(__FILE__, __LINE__, opened.error().message.c_str());
    router = std::move(*opened);
  }

  store::state::StateFixture state;
  AlertLimits limits;
  std::shared_ptr<const AlertConfig> config;
  net::IoThreads io{1};
  SimulatedClock* clock = nullptr;
  SeededRandom random{1};
  Registry registry;
  FakeReceivers receivers;
  std::unique_ptr<AlertRouter> router;
};

}  // namespace binnacle::watch::alerts
