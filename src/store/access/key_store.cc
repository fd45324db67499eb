#include "store/access/key_store.h"

#include "base/json_text.h"
#include "base/utf8.h"
#include "store/access/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace binnacle::store::access {
namespace {

using state::Blob;
using state::Database;
using state::Statement;

constexpr size_t kMaxNameBytes = 128;

Status check_name(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!name.empty() && name.size() <= kMaxNameBytes && !control && is_valid_utf8(name)) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("key name: must be 1 to {} bytes of printable text", kMaxNameBytes));
}

Status check_new_key(const NewKey& key, int64_t now_ms) {
  TRY(check_name(key.name));
  if (key.role == Role::kPublic) {
    return fail(Code::kInvalidArgument,
                "key role: public needs no key; choose admin, operator, viewer, ingest, agent or "
                "inference");
  }
  if (key.expires_ms != 0 && key.expires_ms <= now_ms) {
    return fail(Code::kInvalidArgument,
                fmt::format("key expiry: {} has passed", format_rfc3339(key.expires_ms)));
  }
  return {};
}

std::string role_detail(const KeyInfo& info) {
  std::string detail = "{\"name\":";
  append_json_string(detail, info.name);
  detail += fmt::format(",\"role\":\"{}\"}}", role_name(info.role));
  return detail;
}

AuditRecord key_record(std::string action, const KeyInfo& info, const Actor& by) {
  return {
      .action = std::move(action), .actor = by, .subject = info.id, .detail = role_detail(info)};
}

// A role that this binary does not know (an older one reads the file) grants nothing.
Role stored_role(const std::string& name) { return role_from_name(name).value_or(Role::kPublic); }

KeyInfo info_of(const Statement& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .role = stored_role(row.text(2)),
          .created_ms = row.integer(3),
          .created_by = row.text(4),
          .expires_ms = row.integer(5),
          .revoked_ms = row.integer(6),
          .last_used_ms = row.integer(7),
          .scopes = row.text(8)};
}

Result<KeyInfo> read_key(Database& database, const std::string& id) {
  TRY_ASSIGN(Statement row,
             database.query("SELECT id, name, role, created_ms, created_by, expires_ms, revoked_ms,"
                            " last_used_ms, scopes FROM access_keys WHERE id = ?",
                            id));
  TRY_ASSIGN(const bool found, row.step());
  if (found) return info_of(row);
  return fail(Code::kNotFound, fmt::format("key {}: there is none with this id", id));
}

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::load(state::StateStore& store, AuditLog& audit,
                                                 const Clock& clock, Random& random) {
  std::unique_ptr<KeyStore> keys(new KeyStore(store, audit, clock, random));
  TRY(keys->reload());
  return keys;
}

KeyStore::KeyStore(state::StateStore& store, AuditLog& audit, const Clock& clock, Random& random)
    : store_(store),
      audit_(audit),
      clock_(clock),
      random_(random),
      records_(std::make_shared<const Records>()) {}

std::shared_ptr<const KeyStore::Records> KeyStore::records() const {
  MutexLock lock(mu_);
  return records_;
}

bool KeyStore::open() const { return records()->empty(); }

Result<Identity> KeyStore::authenticate(std::string_view key) const {
  const auto refused = [] {
    return fail(Code::kUnauthenticated,
                "key not accepted: unknown id or wrong secret; `binnacle key list` shows the ids");
  };
  const auto text = parse_secret(SecretKind::kKey, key);
  if (!text) return refused();
  const std::string hash = secret_hash(text->secret);
  const auto all = records();
  const auto it = all->find(text->id);
  if (it == all->end()) return refused();
  const Record& record = it->second;
  const bool current = equal_in_constant_time(hash, record.hash);
  const bool previous = equal_in_constant_time(hash, record.previous_hash);
  if (!current && !previous) return refused();
  // From here on the caller has shown the secret, so it may know what became of it.
  if (!current && clock_.wall_ms() >= record.previous_until_ms) {
    return fail(Code::kUnauthenticated,
                fmt::format("key {} was rotated; use its new secret", record.info.id));
  }
  return admit(record);
}

Result<Identity> KeyStore::identity_of(const std::string& id) const {
  const auto all = records();
  const auto it = all->find(id);
  if (it == all->end()) {
    return fail(Code::kUnauthenticated, fmt::format("key {}: there is none with this id", id));
  }
  return admit(it->second);
}

Result<Identity> KeyStore::admit(const Record& record) const {
  const int64_t now_ms = clock_.wall_ms();
  const KeyInfo& info = record.info;
  if (info.revoked_ms != 0) {
    return fail(Code::kUnauthenticated,
                fmt::format("key {} was revoked at {}", info.id, format_rfc3339(info.revoked_ms)));
  }
  if (info.expires_ms != 0 && now_ms >= info.expires_ms) {
    return fail(Code::kUnauthenticated,
                fmt::format("key {} expired at {}", info.id, format_rfc3339(info.expires_ms)));
  }
  record.use->last_ms.store(now_ms, std::memory_order_relaxed);
  return Identity{.key_id = info.id, .name = info.name, .role = info.role};
}

std::vector<KeyInfo> KeyStore::list() const {
  std::vector<KeyInfo> keys;
  const auto all = records();
  for (const auto& [id, record] : *all) {
    keys.push_back(record.info);
    keys.back().last_used_ms = record.use->last_ms.load(std::memory_order_relaxed);
  }
  std::sort(keys.begin(), keys.end(), [](const KeyInfo& a, const KeyInfo& b) {
    return std::tuple(a.revoked_ms != 0, std::string_view(a.name), std::string_view(a.id)) <
           std::tuple(b.revoked_ms != 0, std::string_view(b.name), std::string_view(b.id));
  });
  return keys;
}

Result<IssuedKey> KeyStore::create(NewKey key, const Actor& by) {
  MutexLock changing(change_mu_);
  const SecretText text = draw();
  Result<IssuedKey> issued;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(issued, insert_in(database, key, text, by));
    return {};
  }));
  TRY(reload_locked());
  return issued;
}

Result<IssuedKey> KeyStore::insert_in(Database& database, const NewKey& key, const SecretText& text,
                                      const Actor& by) {
  const int64_t now_ms = clock_.wall_ms();
  TRY(check_new_key(key, now_ms));
  TRY_ASSIGN(const int64_t count, database.query_integer("SELECT count(*) FROM access_keys"));
  if (count >= static_cast<int64_t>(kMaxKeys)) {
    return fail(Code::kResourceExhausted,
                fmt::format("create key: {} keys are the most", kMaxKeys));
  }
  const KeyInfo info{.id = text.id,
                     .name = key.name,
                     .role = key.role,
                     .created_ms = now_ms,
                     .created_by = by.name,
                     .expires_ms = key.expires_ms,
                     .scopes = key.scopes};
  const Status inserted = database.run(
      "INSERT INTO access_keys(id, name, role, secret_hash, created_ms, created_by, expires_ms,"
      " scopes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      info.id, info.name, role_name(info.role), Blob{secret_hash(text.secret)}, info.created_ms,
      info.created_by, info.expires_ms, info.scopes);
  if (!inserted && inserted.error().code == Code::kAlreadyExists) {
    return fail(Code::kAlreadyExists,
                fmt::format("create key: the name is taken (\"{}\"); revoke that key or choose "
                            "another name",
                            info.name));
  }
  TRY(inserted);
  TRY(audit_.append_in(database, key_record("key.created", info, by)));
  return IssuedKey{.info = info, .key = write_secret(SecretKind::kKey, text)};
}

Status KeyStore::revoke(const std::string& id, const Actor& by) {
  MutexLock changing(change_mu_);
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(const KeyInfo info, read_key(database, id));
    if (info.revoked_ms != 0) return {};
    TRY(database.run("UPDATE access_keys SET revoked_ms = ? WHERE id = ?", clock_.wall_ms(), id));
    TRY(database.run("DELETE FROM access_sessions WHERE key_id = ?", id));
    return audit_.append_in(database, key_record("key.revoked", info, by));
  }));
  return reload_locked();
}

Result<IssuedKey> KeyStore::rotate(const std::string& id, int64_t overlap_ms, const Actor& by) {
  if (overlap_ms < 0) return fail(Code::kInvalidArgument, "rotate key: the overlap is negative");
  MutexLock changing(change_mu_);
  SecretText text = draw();
  text.id = id;
  IssuedKey issued;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(issued.info, read_key(database, id));
    if (issued.info.revoked_ms != 0) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("rotate key {}: it was revoked; create a new one", id));
    }
    TRY(
        database.run("UPDATE access_keys SET previous_hash = secret_hash, previous_until_ms = ?,"
                     " secret_hash = ? WHERE id = ?",
                     clock_.wall_ms() + overlap_ms, Blob{secret_hash(text.secret)}, id));
    return audit_.append_in(database, key_record("key.rotated", issued.info, by));
  }));
  TRY(reload_locked());
  issued.key = write_secret(SecretKind::kKey, text);
  return issued;
}

Status KeyStore::reload() {
  MutexLock changing(change_mu_);
  return reload_locked();
}

Status KeyStore::reload_locked() {
  const auto old = records();
  auto fresh = std::make_shared<Records>();
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(Statement row,
               database.query("SELECT id, name, role, created_ms, created_by, expires_ms,"
                              " revoked_ms, last_used_ms, scopes, secret_hash, previous_hash,"
                              " previous_until_ms FROM access_keys"));
    for (;;) {
      TRY_ASSIGN(const bool found, row.step());
      if (!found) return {};
      Record record{.info = info_of(row),
                    .hash = row.blob(9),
                    .previous_hash = row.blob(10),
                    .previous_until_ms = row.integer(11),
                    .use = nullptr};
      if (const auto it = old->find(record.info.id); it != old->end()) {
        record.use = it->second.use;
      } else {
        record.use = std::make_shared<Use>();
        record.use->last_ms = record.use->stored_ms = record.info.last_used_ms;
      }
      std::string id = record.info.id;
      fresh->emplace(std::move(id), std::move(record));
    }
  }));
  MutexLock lock(mu_);
  records_ = std::move(fresh);
  return {};
}

Status KeyStore::flush_last_used() {
  const auto all = records();
  std::vector<std::pair<const Record*, int64_t>> used;
  for (const auto& [id, record] : *all) {
    const int64_t last_ms = record.use->last_ms.load(std::memory_order_relaxed);
    if (last_ms != record.use->stored_ms) used.emplace_back(&record, last_ms);
  }
  if (used.empty()) return {};
  TRY(store_.write([&](Database& database) -> Status {
    for (const auto& [record, last_ms] : used) {
      TRY(database.run("UPDATE access_keys SET last_used_ms = ? WHERE id = ?", last_ms,
                       record->info.id));
    }
    return {};
  }));
  for (const auto& [record, last_ms] : used) record->use->stored_ms = last_ms;
  return {};
}

}  // namespace binnacle::store::access
