#include "store/access/session_store.h"

#include "store/access/digest.h"

#include <algorithm>
#include <utility>

namespace binnacle::store::access {
namespace {

using state::Blob;
using state::Database;
using state::Statement;

constexpr size_t kIdBytes = 32;

}  // namespace

Result<std::unique_ptr<SessionStore>> SessionStore::load(state::StateStore& store,
                                                         const KeyStore& keys, const Clock& clock,
                                                         Random& random, SessionOptions options) {
  std::unique_ptr<SessionStore> sessions(new SessionStore(store, keys, clock, random, options));
  TRY(sessions->load_rows());
  return sessions;
}

SessionStore::SessionStore(state::StateStore& store, const KeyStore& keys, const Clock& clock,
                           Random& random, SessionOptions options)
    : store_(store), keys_(keys), clock_(clock), random_(random), options_(options) {}

Status SessionStore::load_rows() {
  return store_.read([this](Database& database) -> Status {
    TRY_ASSIGN(Statement row,
               database.query("SELECT id_hash, key_id, expires_ms FROM access_sessions"
                              " WHERE expires_ms > ?",
                              clock_.wall_ms()));
    for (;;) {
      TRY_ASSIGN(const bool found, row.step());
      if (!found) return {};
      MutexLock lock(mu_);
      sessions_.emplace(row.blob(0), Session{.key_id = row.text(1), .expires_ms = row.integer(2)});
    }
  });
}

Result<Identity> SessionStore::authenticate(std::string_view id) const {
  const std::string hash = sha256(id);
  std::string key_id;
  {
    MutexLock lock(mu_);
    const auto it = sessions_.find(hash);
    if (it == sessions_.end() || clock_.wall_ms() >= it->second.expires_ms) {
      return fail(Code::kUnauthenticated, "session: ended or unknown; log in again");
    }
    key_id = it->second.key_id;
  }
  return keys_.identity_of(key_id);
}

Result<IssuedSession> SessionStore::create(const std::string& key_id) {
  TRY(make_room());
  std::string bytes(kIdBytes, '\0');
  random_.fill(bytes);
  IssuedSession issued{.id = to_hex(bytes), .expires_ms = clock_.wall_ms() + options_.lifetime_ms};
  const std::string hash = sha256(issued.id);
  TRY(store_.write([&](Database& database) {
    return database.run(
        "INSERT INTO access_sessions(id_hash, key_id, created_ms, expires_ms)"
        " VALUES (?, ?, ?, ?)",
        Blob{hash}, key_id, clock_.wall_ms(), issued.expires_ms);
  }));
  MutexLock lock(mu_);
  sessions_.emplace(hash, Session{.key_id = key_id, .expires_ms = issued.expires_ms});
  return issued;
}

Status SessionStore::make_room() {
  std::string first_to_end;
  {
    MutexLock lock(mu_);
    if (sessions_.size() < options_.max_sessions) return {};
    first_to_end =
        std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
          return a.second.expires_ms < b.second.expires_ms;
        })->first;
  }
  return remove_hash(first_to_end);
}

Status SessionStore::remove(std::string_view id) { return remove_hash(sha256(id)); }

Status SessionStore::remove_hash(const std::string& hash) {
  {
    // Memory first: a log-out holds even when the disk does not take it.
    MutexLock lock(mu_);
    sessions_.erase(hash);
  }
  return store_.write([&](Database& database) {
    return database.run("DELETE FROM access_sessions WHERE id_hash = ?", Blob{hash});
  });
}

Status SessionStore::remove_expired() {
  const int64_t now_ms = clock_.wall_ms();
  {
    MutexLock lock(mu_);
    std::erase_if(sessions_, [&](const auto& entry) { return now_ms >= entry.second.expires_ms; });
  }
  return store_.write([&](Database& database) {
    return database.run("DELETE FROM access_sessions WHERE expires_ms <= ?", now_ms);
  });
}

}  // namespace binnacle::store::access
