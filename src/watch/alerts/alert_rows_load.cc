// Reads the router's state back.
#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "watch/alerts/alert_row_format.h"
#include "watch/alerts/alert_rows.h"

namespace binnacle::watch::alerts {
namespace {

using store::state::Database;
using store::state::Statement;

model::Labels labels_of(const std::string& packed) {
  return model::Labels(model::LabelsView(packed));
}

template <typename Number>
std::vector<Number> numbers_of(const std::string& bytes) {
  std::vector<Number> numbers;
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
    numbers.push_back(static_cast<Number>(value));
  }
  return numbers;
}

template <typename Take>
Status each(Statement rows, Take&& take) {
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return {};
    TRY(take(rows));
  }
}

Status load_alerts(Database& db, Dispatcher& dispatcher) {
  TRY_ASSIGN(Statement rows,
             db.query("SELECT labels, annotations, generator_url, starts_ms, ends_ms, updated_ms,"
                      " flags FROM alerts JOIN alert_times USING (fingerprint)"));
  return each(std::move(rows), [&](const Statement& row) -> Status {
    StoredAlert stored;
    stored.alert = {.labels = labels_of(row.blob(0)),
                    .annotations = labels_of(row.blob(1)),
                    .starts_at_ms = row.integer(3),
                    .ends_at_ms = row.integer(4),
                    .updated_at_ms = row.integer(5),
                    .generator_url = row.text(2)};
    stored.timeout = (row.integer(6) & kRowTimeout) != 0;
    stored.open = (row.integer(6) & kRowOpen) != 0;
    dispatcher.restore_alert(std::move(stored));
    return {};
  });
}

Status load_groups(Database& db, Dispatcher& dispatcher) {
  std::map<int64_t, std::set<uint64_t>> members;
  TRY_ASSIGN(Statement rows, db.query("SELECT group_id, fingerprint FROM alert_group_members"));
  TRY(each(std::move(rows), [&](const Statement& row) -> Status {
    members[row.integer(0)].insert(static_cast<uint64_t>(row.integer(1)));
    return {};
  }));
  TRY_ASSIGN(Statement groups,
             db.query("SELECT id, route_id, labels, next_flush_ms, first_told_ms, escalated,"
                      " next_escalation_ms FROM alert_groups"));
  return each(std::move(groups), [&](const Statement& row) -> Status {
    AlertGroup group;
    group.id = row.integer(0);
    group.route_id = row.text(1);
    group.labels = labels_of(row.blob(2));
    group.next_flush_ms = row.integer(3);
    group.first_told_ms = row.integer(4);
    group.escalated = static_cast<size_t>(row.integer(5));
    group.next_escalation_ms = row.integer(6);
    group.members = std::move(members[group.id]);
    dispatcher.restore_group(std::move(group));
    return {};
  });
}

Status load_log(Database& db, Dispatcher& dispatcher) {
  TRY_ASSIGN(Statement rows,
             db.query("SELECT group_key, receiver, integration, at_ms, firing, resolved,"
                      " expires_ms FROM alert_notifications"));
  return each(std::move(rows), [&](const Statement& row) -> Status {
    dispatcher.restore_log({row.text(0), row.text(1), row.text(2)},
                           {.at_ms = row.integer(3),
                            .firing = numbers_of<uint64_t>(row.blob(4)),
                            .resolved = numbers_of<uint64_t>(row.blob(5)),
                            .expires_at_ms = row.integer(6)});
    return {};
  });
}

Result<model::Matchers> matchers_of(const std::string& text) {
  const auto json = parse_json(text);
  model::Matchers matchers;
  for (const auto& one : json) {
    if (!one.is_array() || one.size() != 3) {
      return fail(Code::kDataLoss, "alert_silences.matchers: not a list of triples");
    }
    const auto op = std::ranges::find(kRowMatchOps, one[0].get<std::string>());
    if (op == std::end(kRowMatchOps)) {
      return fail(Code::kDataLoss, "alert_silences.matchers: an operator that is none");
    }
    TRY_ASSIGN(model::Matcher matcher,
               model::Matcher::create(static_cast<model::MatchOp>(op - std::begin(kRowMatchOps)),
                                      one[1].get<std::string>(), one[2].get<std::string>()));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

Status load_silences(Database& db, Dispatcher& dispatcher) {
  TRY_ASSIGN(Statement rows,
             db.query("SELECT id, matchers, starts_ms, ends_ms, updated_ms, created_by, comment,"
                      " annotations FROM alert_silences"));
  return each(std::move(rows), [&](const Statement& row) -> Status {
    TRY_ASSIGN(model::Matchers matchers, matchers_of(row.text(1)));
    Silence silence{.id = row.text(0),
                    .matchers = std::move(matchers),
                    .starts_at_ms = row.integer(2),
                    .ends_at_ms = row.integer(3),
                    .updated_at_ms = row.integer(4),
                    .created_by = row.text(5),
                    .comment = row.text(6)};
    for (const auto& one : parse_json(row.text(7))) {
      if (!one.is_array() || one.size() != 2) continue;
      silence.annotations.emplace_back(one[0].get<std::string>(), one[1].get<std::string>());
    }
    dispatcher.restore_silence(silence);
    return {};
  });
}

Status load_rest(Database& db, Dispatcher& dispatcher) {
  TRY_ASSIGN(Statement acks, db.query("SELECT fingerprint, labels, by_whom, note, at_ms, expires_ms"
                                      " FROM alert_acknowledgements"));
  TRY(each(std::move(acks), [&](const Statement& row) -> Status {
    dispatcher.restore_acknowledgement({.fingerprint = static_cast<uint64_t>(row.integer(0)),
                                        .labels = labels_of(row.blob(1)),
                                        .by = row.text(2),
                                        .note = row.text(3),
                                        .at_ms = row.integer(4),
                                        .expires_at_ms = row.integer(5)});
    return {};
  }));
  TRY_ASSIGN(Statement flaps, db.query("SELECT fingerprint, flapping, changes FROM alert_flaps"));
  return each(std::move(flaps), [&](const Statement& row) -> Status {
    const std::vector<int64_t> changes = numbers_of<int64_t>(row.blob(2));
    dispatcher.restore_flap(
        static_cast<uint64_t>(row.integer(0)),
        {.changes = {changes.begin(), changes.end()}, .flapping = row.integer(1) != 0});
    return {};
  });
}

}  // namespace

Status load_rows(store::state::StateStore& store, Dispatcher& dispatcher) {
  return store.read([&](Database& db) -> Status {
    TRY(load_alerts(db, dispatcher));
    TRY(load_groups(db, dispatcher));
    TRY(load_log(db, dispatcher));
    TRY(load_silences(db, dispatcher));
    return load_rest(db, dispatcher);
  });
}

}  // namespace binnacle::watch::alerts
