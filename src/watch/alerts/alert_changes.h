// What has to be written since the last commit, by key: the rows are made from the state as it is
// when they are written, so that what changes often between two commits costs one row. Plain
// values.
#pragma once

#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/event.h"
#include "watch/alerts/alert_service.h"
#include "watch/alerts/notification_log.h"

namespace binnacle::watch::alerts {

struct AlertChanges {
  // A key whose thing is not there any more stands for its removal.
  std::unordered_map<uint64_t, bool> alerts;  // true: more than times
  std::set<int64_t> groups;
  std::set<std::pair<int64_t, uint64_t>> members;  // group, fingerprint
  std::set<LogKey> log;
  std::set<uint64_t> acknowledgements;
  std::set<uint64_t> flaps;
  std::set<std::string> silences;
  std::vector<AlertHistoryEntry> history;
  std::vector<model::Event> events;

  void alert(uint64_t fingerprint, bool content) {
    bool& all = alerts[fingerprint];
    all = all || content;
  }
  bool empty() const {
    return alerts.empty() && groups.empty() && members.empty() && log.empty() &&
           acknowledgements.empty() && flaps.empty() && silences.empty() && history.empty() &&
           events.empty();
  }
  // Puts back what could not be written.
  void put_back(AlertChanges older) {
    for (const auto& [fingerprint, content] : older.alerts) alert(fingerprint, content);
    groups.merge(older.groups);
    members.merge(older.members);
    log.merge(older.log);
    acknowledgements.merge(older.acknowledgements);
    flaps.merge(older.flaps);
    silences.merge(older.silences);
    std::move(history.begin(), history.end(), std::back_inserter(older.history));
    history = std::move(older.history);
    std::move(events.begin(), events.end(), std::back_inserter(older.events));
    events = std::move(older.events);
  }
};

}  // namespace binnacle::watch::alerts
