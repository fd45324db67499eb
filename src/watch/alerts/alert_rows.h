// The router's state in the state file, and back. Any thread but I/O threads. Range 500 to 599 of
// migration numbers; described in docs/formats/state.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/state/event_store.h"
#include "store/state/migrations.h"
#include "store/state/state_store.h"
#include "watch/alerts/alert_changes.h"
#include "watch/alerts/dispatcher.h"

namespace binnacle::watch::alerts {

std::span<const store::state::Migration> alert_migrations();

// The rows of one commit. What is not set is removed.
struct AlertRows {
  struct AlertRow {
    uint64_t fingerprint = 0;
    std::optional<StoredAlert> alert;
    bool content = false;  // more than times
  };
  struct GroupRow {
    int64_t id = 0;
    std::optional<AlertGroup> group;  // without its members
  };
  struct MemberRow {
    int64_t group = 0;
    uint64_t fingerprint = 0;
    bool member = false;
  };
  std::vector<AlertRow> alerts;
  std::vector<GroupRow> groups;
  std::vector<MemberRow> members;
  std::vector<std::pair<LogKey, std::optional<LogEntry>>> log;
  std::vector<std::pair<uint64_t, std::optional<Acknowledgement>>> acknowledgements;
  std::vector<std::pair<uint64_t, std::optional<FlapDetector::Record>>> flaps;
  std::vector<std::pair<std::string, std::optional<Silence>>> silences;
  std::vector<AlertHistoryEntry> history;
  std::vector<model::Event> events;
};

AlertRows rows_of(const AlertChanges& changes, const Dispatcher& dispatcher, int64_t now_ms);
// Part of a write. `events` may be null.
Status write_rows(store::state::Database& database, const AlertRows& rows,
                  store::state::EventStore* events);

// All that is stored, into a dispatcher that has no configuration yet.
Status load_rows(store::state::StateStore& store, Dispatcher& dispatcher);

}  // namespace binnacle::watch::alerts
