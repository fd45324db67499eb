#include "store/access/audit_log.h"

#include "base/check.h"
#include "base/json_text.h"
#include "store/access/digest.h"

#include <fmt/format.h>

#include <pthread.h>
#include <limits>
#include <utility>

namespace binnacle::store::access {
namespace {

using state::Blob;
using state::Database;
using state::Statement;

constexpr size_t kVerifyPage = 1'000;
constexpr size_t kBatch = 128;

AuditRow row_of(const Statement& row) {
  return {.id = row.integer(0),
          .record = {.action = row.text(2),
                     .actor = {.name = row.text(3), .key_id = row.text(4), .address = row.text(5)},
                     .subject = row.text(6),
                     .outcome = audit_outcome_from_name(row.text(7)),
                     .detail = row.text(8),
                     .time_ms = row.integer(1)},
          .previous_hash = row.blob(9),
          .hash = row.blob(10)};
}

Result<std::vector<AuditRow>> read_rows(Statement rows) {
  std::vector<AuditRow> found;
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return found;
    found.push_back(row_of(rows));
  }
}

std::string event_data(int64_t audit_id, const AuditRecord& record) {
  std::string data = fmt::format("{{\"audit_id\":{},\"actor\":", audit_id);
  append_json_string(data, record.actor.name);
  data += ",\"address\":";
  append_json_string(data, record.actor.address);
  data += ",\"outcome\":";
  append_json_string(data, audit_outcome_name(record.outcome));
  data += ",\"detail\":" + record.detail + "}";
  return data;
}

// Goes along the chain row by row; keeps the first fault.
class ChainCheck {
 public:
  // False: broken, look no further.
  bool take(const AuditRow& row) {
    const int64_t expected = verdict_.rows + 1;
    if (row.id != expected) return broken(expected, "the row is missing");
    if (!equal_in_constant_time(row.previous_hash, previous_)) {
      return broken(row.id, "it does not hold the hash of the row before");
    }
    if (!equal_in_constant_time(row.hash, audit_hash(previous_, row.id, row.record))) {
      return broken(row.id, "its content does not fit its hash");
    }
    previous_ = row.hash;
    ++verdict_.rows;
    return true;
  }

  // `ever_given`: the highest id that a row ever had.
  AuditVerdict finish(int64_t ever_given) {
    if (verdict_.intact && verdict_.rows < ever_given) {
      broken(verdict_.rows + 1, "the row is missing");
    }
    return verdict_;
  }

  int64_t last_id() const { return verdict_.rows; }

 private:
  bool broken(int64_t id, std::string_view reason) {
    verdict_.intact = false;
    verdict_.broken_id = id;
    verdict_.reason = fmt::format("row {}: {}", id, reason);
    return false;
  }

  AuditVerdict verdict_;
  std::string previous_ = audit_chain_start();
};

}  // namespace

AuditLog::AuditLog(state::StateStore& store, state::EventStore& events, const Clock& clock,
                   Registry& registry, size_t max_queued)
    : store_(store),
      events_(events),
      clock_(clock),
      registry_(registry),
      dropped_(registry.counter("binnacle_audit_dropped_total",
                                "Audit records that could not be written down.")),
      max_queued_(max_queued) {}

AuditLog::~AuditLog() { stop(); }

void AuditLog::start() {
  CHECK(!thread_.joinable());
  {
    MutexLock lock(mu_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "audit");
}

void AuditLog::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Status AuditLog::append(AuditRecord record) {
  return store_.write([&](Database& database) { return append_in(database, record); });
}

Status AuditLog::append_in(Database& database, AuditRecord record) {
  if (record.time_ms == 0) record.time_ms = clock_.wall_ms();
  int64_t previous_id = 0;
  std::string previous_hash = audit_chain_start();
  {
    TRY_ASSIGN(Statement last,
               database.query("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"));
    TRY_ASSIGN(const bool row, last.step());
    if (row) {
      previous_id = last.integer(0);
      previous_hash = last.blob(1);
    }
  }
  const int64_t id = previous_id + 1;
  TRY(database.run(
      "INSERT INTO audit(id, time_ms, action, actor, key_id, address, subject,"
      " outcome, detail, previous_hash, hash)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, record.time_ms, record.action, record.actor.name, record.actor.key_id,
      record.actor.address, record.subject, audit_outcome_name(record.outcome), record.detail,
      Blob{previous_hash}, Blob{audit_hash(previous_hash, id, record)}));
  TRY(events_.append(database, {.id = 0,
                                .time_ms = record.time_ms,
                                .kind = record.action,
                                .subject = record.subject,
                                .cause_id = 0,
                                .data = event_data(id, record)}));
  registry_
      .counter("binnacle_audit_records_total",
               "Audit records handed to the state store, by action.", {{"action", record.action}})
      .add();
  return {};
}

void AuditLog::enqueue(AuditRecord record) {
  if (record.time_ms == 0) record.time_ms = clock_.wall_ms();
  {
    MutexLock lock(mu_);
    if (queue_.size() < max_queued_) {
      queue_.push_back(std::move(record));
      wake_.notify_one();
      return;
    }
  }
  dropped_.add();
  log_.error("audit record dropped: the queue is full",
             {{"action", record.action}, {"subject", record.subject}});
}

void AuditLog::run() {
  for (;;) {
    std::vector<AuditRecord> batch;
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) wake_.wait(mu_);
      if (queue_.empty()) return;
      while (!queue_.empty() && batch.size() < kBatch) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    write_batch(batch);
  }
}

void AuditLog::write_batch(const std::vector<AuditRecord>& batch) {
  const Status status = store_.write([&](Database& database) -> Status {
    for (const AuditRecord& record : batch) TRY(append_in(database, record));
    return {};
  });
  if (status) return;
  for (const AuditRecord& record : batch) {
    // The log is the last place left for what the file does not take.
    dropped_.add();
    log_.error("audit record dropped", {{"action", record.action},
                                        {"actor", record.actor.name},
                                        {"address", record.actor.address},
                                        {"subject", record.subject},
                                        {"error", status.error().message}});
  }
}

Result<std::vector<AuditRow>> AuditLog::recent(int64_t before_id, size_t limit) {
  std::vector<AuditRow> rows;
  const int64_t before = before_id > 0 ? before_id : std::numeric_limits<int64_t>::max();
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(Statement query,
               database.query("SELECT id, time_ms, action, actor, key_id, address, subject,"
                              " outcome, detail, previous_hash, hash FROM audit"
                              " WHERE id < ? ORDER BY id DESC LIMIT ?",
                              before, limit));
    TRY_ASSIGN(rows, read_rows(std::move(query)));
    return {};
  }));
  return rows;
}

Result<AuditVerdict> AuditLog::verify() {
  ChainCheck chain;
  int64_t ever_given = 0;
  // Page by page: one long read would keep the write-ahead log from being folded in.
  for (;;) {
    std::vector<AuditRow> rows;
    TRY(store_.read([&](Database& database) -> Status {
      TRY_ASSIGN(Statement query,
                 database.query("SELECT id, time_ms, action, actor, key_id, address, subject,"
                                " outcome, detail, previous_hash, hash FROM audit"
                                " WHERE id > ? ORDER BY id LIMIT ?",
                                chain.last_id(), kVerifyPage));
      TRY_ASSIGN(rows, read_rows(std::move(query)));
      TRY_ASSIGN(ever_given,
                 database.query_integer("SELECT seq FROM sqlite_sequence WHERE name = 'audit'"));
      return {};
    }));
    for (const AuditRow& row : rows) {
      if (!chain.take(row)) return chain.finish(ever_given);
    }
    if (rows.size() < kVerifyPage) return chain.finish(ever_given);
  }
}

}  // namespace binnacle::store::access
