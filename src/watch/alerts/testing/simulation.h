// A dispatcher in simulated time: what happens is written down with its second, then all of it is
// run, and what each webhook was told stands in order. Sends take 5 ms. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "watch/alerts/alert_rows.h"
#include "watch/alerts/dispatcher.h"

namespace binnacle::watch::alerts {

inline constexpr int64_t kSimulationStartMs = 1'700'000'000'000;

inline int64_t at_ms(double seconds) {
  return kSimulationStartMs + static_cast<int64_t>(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
}

struct TestAlert {
  model::Alert alert;
  TestAlert(std::initializer_list<std::pair<std::string_view, std::string_view>> labels)
      : alert{.labels = model::Labels(labels)} {}
  TestAlert active(double from, double to = -1e9) const {
    TestAlert copy = *this;
    copy.alert.starts_at_ms = at_ms(from);
    if (to > -1e9) copy.alert.ends_at_ms = at_ms(to);
    return copy;
  }
  TestAlert annotate(std::string_view name, std::string_view value) const {
    TestAlert copy = *this;
    copy.alert.annotations = model::Labels{{name, value}};
    return copy;
  }
  uint64_t fingerprint() const { return model::alert_fingerprint(alert.labels); }
};

inline TestAlert named(std::string_view name) { return TestAlert{{"alertname", name}}; }

// "4.000 {alertname="a"} 1.000-3.000 {}" and so on: what was told, for people to compare.
inline std::string told_text(const model::Alert& alert) {
  const auto seconds = [](int64_t ms) {
    return ms == 0 ? std::string() : std::to_string(ms - kSimulationStartMs);
  };
  return alert.labels.to_string() + " " + seconds(alert.starts_at_ms) + "-" +
         seconds(alert.ends_at_ms) + " " + alert.annotations.to_string();
}

class Simulation {
 public:
  struct Told {
    int64_t at_ms = 0;
    std::string receiver;
    std::string integration;
    Notification notification;
  };
  // Nothing: sent.
  using Answer = std::function<SendOutcome(const DeliveryAttempt&, int64_t now_ms)>;

  // With a store, each step is written before the next one.
  explicit Simulation(const std::string& yaml, AlertLimits limits = {},
                      store::state::StateStore* store = nullptr)
      : limits_(limits), instruments_(registry_), store_(store), config_(read(yaml)) {
    restart();
  }

  // As after kill -9: what was written is there, what was being sent never arrived.
  void restart() {
    ++life_;
    dispatcher_ = std::make_unique<Dispatcher>(limits_, "http://binnacle", random_, instruments_);
    if (store_ != nullptr) CHECK(load_rows(*store_, *dispatcher_));
    dispatcher_->configure(config_, now_ms_);
    commit();
  }

  static std::shared_ptr<const AlertConfig> read(const std::string& yaml) {
    auto config = read_alert_config(yaml, "/", real_file_system());
    if (!config) check_failed(__FILE__, __LINE__, config.error().message.c_str());
    return *config;
  }

  void at(double seconds, std::function<void()> what) { at_time(at_ms(seconds), std::move(what)); }
  void push(double seconds, std::vector<TestAlert> alerts) {
    at(seconds, [this, alerts = std::move(alerts)] {
      std::vector<model::Alert> plain;
      for (const TestAlert& one : alerts) plain.push_back(one.alert);
      CHECK(dispatcher_->put(std::move(plain), now_ms_));
    });
  }
  void reload(double seconds, const std::string& yaml) {
    at(seconds, [this, yaml] {
      config_ = read(yaml);
      dispatcher_->configure(config_, now_ms_);
    });
  }
  void configure(double seconds, AlertConfig config) {
    at(seconds, [this, config = std::make_shared<const AlertConfig>(std::move(config))] {
      config_ = config;
      dispatcher_->configure(config_, now_ms_);
    });
  }
  void jump_clock(double seconds, int64_t by_ms) {
    at(seconds, [this, by_ms] {
      now_ms_ += by_ms;
      dispatcher_->shift_ms(by_ms);
    });
  }
  // Answers the id through `id` when it is there.
  void silence(double seconds, double from, double to, model::MatchOp op, std::string_view value,
               std::string* id = nullptr) {
    at(seconds, [this, from, to, op, value = std::string(value), id] {
      Silence one;
      one.matchers.push_back(*model::Matcher::create(op, "alertname", value));
      one.starts_at_ms = at_ms(from);
      one.ends_at_ms = at_ms(to);
      const auto change = dispatcher_->silences().plan_set(std::move(one), now_ms_);
      CHECK(change);
      dispatcher_->apply(*change);
      if (id != nullptr) *id = change->id;
    });
  }
  void expire_silence(double seconds, const std::string* id) {
    at(seconds, [this, id] {
      const auto change = dispatcher_->silences().plan_expire(*id, now_ms_);
      CHECK(change);
      dispatcher_->apply(*change);
    });
  }
  void acknowledge(double seconds, const TestAlert& alert, double expires = 0) {
    at(seconds, [this, alert, expires] {
      dispatcher_->set_acknowledgement({.fingerprint = alert.fingerprint(),
                                        .labels = alert.alert.labels,
                                        .by = "someone",
                                        .at_ms = now_ms_,
                                        .expires_at_ms = expires > 0 ? at_ms(expires) : 0});
    });
  }
  void answer(std::string integration, Answer with) { answers_[integration] = std::move(with); }
  // How long attempts of an integration take.
  void latency(std::string integration, int64_t ms) { latencies_[integration] = ms; }

  void run(double until_seconds) {
    const int64_t until = at_ms(until_seconds);
    for (;;) {
      for (const DeliveryAttempt& attempt : dispatcher_->turn(now_ms_)) attempted(attempt);
      commit();
      int64_t next = dispatcher_->next_due_ms(now_ms_);
      if (!events_.empty()) next = std::min(next, events_.begin()->first);
      if (next > until) break;
      now_ms_ = std::max(now_ms_, next);
      while (!events_.empty() && events_.begin()->first <= now_ms_) {
        auto what = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        what();
        commit();
      }
    }
    now_ms_ = until;
  }

  // What an integration was told, as lines of milliseconds and alerts.
  std::vector<std::string> told(const std::string& integration = "webhook[0]",
                                const std::string& receiver = "default") const {
    std::vector<std::string> lines;
    for (const Told& one : told_) {
      if (one.integration != integration || one.receiver != receiver) continue;
      std::string line = std::to_string((one.notification.now_ms - kSimulationStartMs) / 100);
      for (const model::Alert& alert : one.notification.alerts) line += " " + told_text(alert);
      lines.push_back(std::move(line));
    }
    return lines;
  }
  const std::vector<Told>& all_told() const { return told_; }
  Dispatcher& dispatcher() { return *dispatcher_; }
  int64_t now_ms() const { return now_ms_; }

 private:
  void at_time(int64_t when_ms, std::function<void()> what) {
    events_.emplace(when_ms, std::move(what));
  }
  void commit() {
    if (store_ == nullptr || dispatcher_->changes().empty()) return;
    const AlertRows rows = rows_of(dispatcher_->take_changes(), *dispatcher_, now_ms_);
    CHECK(store_->write([&](store::state::Database& db) { return write_rows(db, rows, nullptr); }));
  }
  void attempted(const DeliveryAttempt& attempt) {
    const auto it = latencies_.find(attempt.target.second);
    const int64_t took_ms = it == latencies_.end() ? 5 : it->second;
    at_time(now_ms_ + took_ms, [this, attempt, life = life_] {
      if (life != life_) return;
      const auto answer = answers_.find(attempt.target.second);
      const SendOutcome outcome =
          answer == answers_.end() ? SendOutcome{} : answer->second(attempt, now_ms_);
      if (outcome.kind == SendOutcome::Kind::kSent) {
        told_.push_back(
            {now_ms_, attempt.target.first, attempt.target.second, *attempt.notification});
      }
      dispatcher_->attempted(attempt.id, outcome, now_ms_);
    });
  }

  const AlertLimits limits_;
  int64_t now_ms_ = kSimulationStartMs;
  SeededRandom random_{7};
  Registry registry_;
  AlertInstruments instruments_;
  store::state::StateStore* const store_;
  std::shared_ptr<const AlertConfig> config_;
  int life_ = 0;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::multimap<int64_t, std::function<void()>> events_;
  std::map<std::string, Answer> answers_;
  std::map<std::string, int64_t> latencies_;
  std::vector<Told> told_;
};

}  // namespace binnacle::watch::alerts
