// The router's state and its decisions: takes alerts into groups, says when and what to tell whom,
// by Alertmanager's rules, and what of it has to be written. Pure: time comes in with each call,
// what is to be done comes out. The owner's lock guards it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "watch/alerts/alert_changes.h"
#include "watch/alerts/alert_config.h"
#include "watch/alerts/alert_group.h"
#include "watch/alerts/alert_instruments.h"
#include "watch/alerts/alert_limits.h"
#include "watch/alerts/alert_table.h"
#include "watch/alerts/deliveries.h"
#include "watch/alerts/flap_detector.h"
#include "watch/alerts/inhibitor.h"
#include "watch/alerts/notification_log.h"
#include "watch/alerts/silence_book.h"

namespace binnacle::watch::alerts {

class Dispatcher {
 public:
  Dispatcher(AlertLimits limits, std::string external_url, Random& random,
             AlertInstruments& instruments);

  // From a stored state, before the first configure().
  void restore_alert(StoredAlert alert) { table_.restore(std::move(alert)); }
  void restore_group(AlertGroup group);  // `members` may name alerts that are gone
  void restore_log(LogKey key, LogEntry entry) { log_.record(std::move(key), std::move(entry)); }
  void restore_silence(const Silence& silence) { silences_.apply({silence.id, {silence}}); }
  void restore_acknowledgement(Acknowledgement acknowledgement);
  void restore_flap(uint64_t fingerprint, FlapDetector::Record record);

  // Bounds that are narrower than what is there hold for what comes.
  void set_options(const AlertLimits& limits, std::string external_url);
  // Groups go on where the routes are the same; what was told stays known. What is on its way goes
  // on.
  void configure(std::shared_ptr<const AlertConfig> config, int64_t now_ms);
  const std::shared_ptr<const AlertConfig>& config() const { return config_; }

  // Takes those that are right; the error names the others.
  Status put(std::vector<model::Alert> alerts, int64_t now_ms);
  // Does what is due; answers what is to be sent.
  std::vector<DeliveryAttempt> turn(int64_t now_ms);
  void attempted(uint64_t delivery, const SendOutcome& outcome, int64_t now_ms);
  int64_t next_due_ms(int64_t now_ms) const;
  // The wall clock jumped: waits go on as long as they would have.
  void shift_ms(int64_t by_ms);

  const SilenceBook& silences() const { return silences_; }
  void apply(const SilenceChange& change) { silences_.apply(change); }
  void set_acknowledgement(Acknowledgement acknowledgement);
  void drop_acknowledgement(uint64_t fingerprint);
  const Acknowledgement* acknowledgement(uint64_t fingerprint, int64_t now_ms) const;

  Result<std::vector<AlertView>> alerts(const AlertFilter& filter, int64_t now_ms) const;
  Result<std::vector<GroupView>> groups(const AlertFilter& filter, int64_t now_ms) const;

  AlertChanges take_changes() { return std::exchange(changes_, {}); }
  AlertChanges& changes() { return changes_; }
  const StoredAlert* find_alert(uint64_t fingerprint) const { return table_.find(fingerprint); }
  const AlertGroup* find_group(int64_t id) const;
  const LogEntry* find_log(const LogKey& key) const { return log_.find(key); }
  const FlapDetector::Record* find_flap(uint64_t fingerprint) const {
    return flaps_.find(fingerprint);
  }

 private:
  using GroupKey = std::pair<std::string, std::string>;  // route id, packed labels

  // A notification on its way: what the log says when it was sent.
  struct Telling {
    int64_t group = 0;
    LogKey key;
    std::string integration;  // "webhook"
    LogEntry entry;
    int64_t before_ms = 0;  // when it was told last; 0: never
    NotifyReason reason = NotifyReason::kNone;
    bool of_flush = false;
  };

  // An alert as a group sees it when it is told.
  struct Member {
    uint64_t fingerprint = 0;
    model::Alert alert;  // its end is 0 while it fires
    bool resolved = false;
    bool flapping = false;
  };

  struct Why {
    std::vector<std::string> silenced_by;
    std::vector<std::string> inhibited_by;
  };

  void put_one(model::Alert alert, int64_t now_ms, std::vector<std::string>& refused);
  void note_fired(uint64_t fingerprint, int64_t now_ms);
  void note_resolved(uint64_t fingerprint, int64_t now_ms);
  void note_change(uint64_t fingerprint, int64_t now_ms);
  void group_alert(uint64_t fingerprint, const Route& route, int64_t now_ms);
  AlertGroup* make_group(const Route& route, model::Labels labels, int64_t now_ms);
  int64_t first_flush_ms(const Route& route, const model::Alert& alert, int64_t now_ms) const;
  void adopt(AlertGroup& group, const Route& route);
  void regroup(uint64_t fingerprint, int64_t now_ms);
  void join(AlertGroup& group, uint64_t fingerprint);
  void leave(AlertGroup& group, uint64_t fingerprint, int64_t now_ms);
  void remove_group(int64_t id, int64_t now_ms);
  void schedule(AlertGroup& group, int64_t flush_ms);
  void schedule_escalation(AlertGroup& group, int64_t when_ms);
  bool takes(const AlertGroup& group, model::LabelsView alert) const;
  void drop_if_done(uint64_t fingerprint, int64_t now_ms);

  void flush(AlertGroup& group, int64_t now_ms);
  std::vector<Member> members_of(const AlertGroup& group, int64_t now_ms) const;
  std::vector<Member> audible(const AlertGroup& group, std::vector<Member> members, int64_t now_ms);
  void tell(AlertGroup& group, const std::vector<Member>& members, const std::string& receiver,
            NotifyReason forced, int64_t now_ms);
  void tell_integration(AlertGroup& group, const std::vector<Member>& members,
                        const Receiver& receiver, const Integration& integration,
                        NotifyReason forced, int64_t now_ms);
  NotifyReason reason_to_tell(const std::vector<Member>& members, const LogEntry* entry,
                              const ToTell& tell, NotifyReason forced, int64_t now_ms) const;
  void send(AlertGroup& group, const std::vector<Member>& members, const Integration& integration,
            Telling telling, int64_t now_ms);
  void delivery_ended(const DeliveryEnd& end, int64_t now_ms);
  void record(const Telling& telling, int64_t now_ms);
  void finish_flush(AlertGroup& group, int64_t now_ms);
  void escalate(AlertGroup& group, int64_t now_ms);
  const std::vector<EscalationStep>* steps_of(const AlertGroup& group) const;
  bool on_its_way(const LogKey& key) const { return keys_on_their_way_.contains(key); }

  void maintain(int64_t now_ms);
  void remove_empty_groups(int64_t now_ms);
  void set_gauges(int64_t now_ms) const;
  void remind_of_silences(int64_t now_ms);
  void send_reminder(const Silence& silence, const std::string& text, int64_t now_ms);
  void add_history(std::string_view kind, uint64_t fingerprint, const AlertGroup* group,
                   std::string receiver, std::string text, int64_t now_ms);
  void add_event(std::string kind, const model::Alert* alert, std::string subject,
                 std::string_view text, int64_t now_ms);

  Why why_muted(model::LabelsView labels, int64_t now_ms) const;
  // Names of the intervals that keep the route silent.
  std::vector<std::string> muting_intervals(const Route& route, int64_t now_ms) const;
  std::vector<std::string> open_windows(model::LabelsView labels, int64_t now_ms) const;
  AlertView view(uint64_t fingerprint, const StoredAlert& stored, std::vector<std::string> muted_by,
                 int64_t now_ms) const;

  AlertInstruments& instruments_;  // fixed after construction

  AlertLimits limits_;
  std::string external_url_;
  std::shared_ptr<const AlertConfig> config_;  // shared with those who look at it
  AlertTable table_;
  NotificationLog log_;
  SilenceBook silences_;
  FlapDetector flaps_;
  Deliveries deliveries_;
  Inhibitor inhibitor_{{}};
  std::map<uint64_t, Acknowledgement> acknowledgements_;
  std::map<int64_t, AlertGroup> groups_;
  std::map<GroupKey, int64_t> group_ids_;
  std::set<std::pair<int64_t, int64_t>> flushes_;      // when, group
  std::set<std::pair<int64_t, int64_t>> escalations_;  // when, group
  std::map<uint64_t, Telling> tellings_;
  std::set<LogKey> keys_on_their_way_;
  AlertChanges changes_;
  int64_t last_group_ = 0;
  uint64_t last_delivery_ = 0;
  int64_t next_maintenance_ms_ = 0;
  int64_t next_empty_groups_ms_ = 0;
  int64_t next_log_gc_ms_ = 0;
};

}  // namespace binnacle::watch::alerts
