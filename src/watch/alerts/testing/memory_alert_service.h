// For tests: an AlertService that holds everything in memory, routes nothing and sends nothing. One
// thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "watch/alerts/alert_intake.h"
#include "watch/alerts/alert_service.h"

namespace binnacle::watch::alerts {

class MemoryAlertService final : public AlertService, public AlertIntake {
 public:
  explicit MemoryAlertService(const Clock& clock) : clock_(clock) {}

  // What a test looks at and sets.
  std::map<std::string, AlertView> views;  // by packed labels
  std::vector<GroupView> group_views;
  std::vector<Silence> stored;
  std::vector<AlertHistoryEntry> entries;
  AlertHistoryQuery asked_history;
  AlertFilter asked;
  std::string tested;
  Status put_fails;
  std::shared_ptr<AlertConfig> configured = std::make_shared<AlertConfig>();

  Status put(std::vector<model::Alert> alerts) override {
    for (model::Alert& alert : alerts) {
      AlertView& view = views[alert.labels.packed()];
      view.fingerprint = alert.labels.hash();
      view.state = AlertState::kActive;
      view.receivers = {"team"};
      view.alert = std::move(alert);
    }
    return put_fails;
  }
  void put_later(std::vector<model::Alert> alerts,
                 std::function<void(const Status&)> done) override {
    done(put(std::move(alerts)));
  }
  Result<std::vector<AlertView>> alerts(const AlertFilter& filter) override {
    asked = filter;
    std::vector<AlertView> out;
    for (const auto& [packed, view] : views) {
      if (model::matches_all(filter.matchers, view.alert.labels)) out.push_back(view);
    }
    return out;
  }
  Result<std::vector<GroupView>> groups(const AlertFilter& filter) override {
    asked = filter;
    return group_views;
  }
  std::vector<Silence> silences(const model::Matchers&) override { return stored; }
  Result<Silence> silence(const std::string& id) override {
    const auto found = std::ranges::find(stored, id, &Silence::id);
    if (found == stored.end()) return fail(Code::kNotFound, "silence " + id + " not found");
    return *found;
  }
  Result<std::string> set_silence(Silence silence) override {
    if (silence.id.empty()) {
      silence.id = "silence-" + std::to_string(stored.size() + 1);
      stored.push_back(std::move(silence));
      return stored.back().id;
    }
    const auto found = std::ranges::find(stored, silence.id, &Silence::id);
    if (found == stored.end()) return fail(Code::kNotFound, "silence not found");
    *found = std::move(silence);
    return found->id;
  }
  Status expire_silence(const std::string& id) override {
    const auto found = std::ranges::find(stored, id, &Silence::id);
    if (found == stored.end()) return fail(Code::kNotFound, "silence " + id + " not found");
    found->ends_at_ms = clock_.wall_ms();
    return {};
  }
  Status acknowledge(Acknowledgement acknowledgement) override {
    TRY_ASSIGN(AlertView * view, find(acknowledgement.fingerprint));
    view->acknowledgement = std::move(acknowledgement);
    return {};
  }
  Status unacknowledge(uint64_t fingerprint, const std::string&) override {
    TRY_ASSIGN(AlertView * view, find(fingerprint));
    view->acknowledgement.reset();
    return {};
  }
  Result<std::vector<AlertHistoryEntry>> history(const AlertHistoryQuery& query) override {
    asked_history = query;
    return entries;
  }
  std::shared_ptr<const AlertConfig> config() const override { return configured; }
  Result<std::vector<TestResult>> test_receiver(const std::string& name) override {
    if (!configured->receivers.contains(name)) return fail(Code::kNotFound, "no such receiver");
    tested = name;
    return std::vector<TestResult>{{"webhook[0]", ""}, {"slack[0]", "401: bad token"}};
  }

 private:
  Result<AlertView*> find(uint64_t fingerprint) {
    for (auto& [packed, view] : views) {
      if (view.fingerprint == fingerprint) return &view;
    }
    return fail(Code::kNotFound, "no such alert");
  }

  const Clock& clock_;
};

}  // namespace binnacle::watch::alerts
