// Takes alerts, groups and routes them, keeps silences, acknowledgements and history, and has the
// receivers told. What it answers is durable: alerts, silences, acknowledgements, groups in wait
// and what was sent are in the state file before a call returns. Owned by the server; calls may
// come from any thread but I/O threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/alert.h"
#include "watch/alerts/alert_config.h"
#include "watch/alerts/silence.h"

namespace binnacle::watch::alerts {

enum class AlertState : uint8_t { kUnprocessed, kActive, kSuppressed };

struct AlertView {
  model::Alert alert;
  uint64_t fingerprint = 0;
  AlertState state = AlertState::kUnprocessed;
  std::vector<std::string> silenced_by;   // ids, and "maintenance:NAME"
  std::vector<std::string> inhibited_by;  // fingerprints
  std::vector<std::string> muted_by;      // names of time intervals
  std::vector<std::string> receivers;
  std::optional<Acknowledgement> acknowledgement;
  bool flapping = false;
};

struct GroupView {
  model::Labels labels;
  model::Labels route_labels;
  std::string key;
  std::string receiver;
  std::vector<AlertView> alerts;
  int64_t next_flush_ms = 0;
  std::string escalation;          // the policy of its route; empty: none
  size_t escalated = 0;            // steps that were taken
  int64_t next_escalation_ms = 0;  // 0: none is due
};

struct AlertFilter {
  model::Matchers matchers;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
  bool unprocessed = true;
  bool muted = true;
  std::string receiver_regex;  // anchored; empty: all
};

// One line of the history: an alert that fired or was resolved, a notification that went out or
// failed, a silence, an acknowledgement, an escalation.
struct AlertHistoryEntry {
  int64_t id = 0;
  int64_t time_ms = 0;
  std::string kind;  // "firing", "resolved", "notified", "failed", "silenced", "acknowledged", ...
  uint64_t fingerprint = 0;  // 0: not of one alert
  model::Labels labels;
  std::string group_key;
  std::string receiver;
  std::string text;  // for people
};

struct AlertHistoryQuery {
  model::Matchers matchers;
  std::string kind;
  std::string receiver;
  int64_t from_ms = 0;
  int64_t to_ms = 0;      // 0: now
  int64_t before_id = 0;  // 0: from the newest
  size_t limit = 100;
};

// The seam between the service and its API; the service itself is AlertManager's work done here.
class AlertService : public model::AlertSink {
 public:
  // kInvalidArgument: a regex that does not parse.
  virtual Result<std::vector<AlertView>> alerts(const AlertFilter& filter) = 0;  // by fingerprint
  virtual Result<std::vector<GroupView>> groups(const AlertFilter& filter) = 0;

  virtual std::vector<Silence> silences(const model::Matchers& filter) = 0;
  // kNotFound
  virtual Result<Silence> silence(const std::string& id) = 0;
  // With an id: changes that one, or where Alertmanager would, expires it and makes a new one.
  // Answers the id. kNotFound, kInvalidArgument.
  virtual Result<std::string> set_silence(Silence silence) = 0;
  virtual Status expire_silence(const std::string& id) = 0;

  // kNotFound: no such alert is active.
  virtual Status acknowledge(Acknowledgement acknowledgement) = 0;
  virtual Status unacknowledge(uint64_t fingerprint, const std::string& by) = 0;

  virtual Result<std::vector<AlertHistoryEntry>> history(const AlertHistoryQuery& query) = 0;

  // What holds now. Never null.
  virtual std::shared_ptr<const AlertConfig> config() const = 0;
  // Sends a test notification to each integration of a receiver; one line each of how it went.
  struct TestResult {
    std::string integration;
    std::string error;  // empty: sent
  };
  virtual Result<std::vector<TestResult>> test_receiver(const std::string& name) = 0;
};

}  // namespace binnacle::watch::alerts
