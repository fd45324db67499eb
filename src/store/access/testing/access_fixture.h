// All parts of this room on a temporary data folder and a simulated clock, for its tests. One
// thread.
#pragma once

#include "base/log.h"
#include "base/random.h"
#include "store/access/access_guard.h"
#include "store/access/access_schema.h"
#include "store/access/audit_log.h"
#include "store/access/key_store.h"
#include "store/access/session_store.h"
#include "store/access/token_store.h"
#include "store/state/event_store.h"
#include "store/state/testing/state_fixture.h"

#include <memory>
#include <optional>
#include <vector>

namespace binnacle::store::access {

inline std::vector<state::Migration> access_migration_list() {
  const auto list = access_migrations();
  return {list.begin(), list.end()};
}

struct AccessFixture {
  AccessFixture() { load(); }

  // As a restart of the server.
  void reopen() {
    unload();
    state.reopen();
    load();
  }

  IssuedKey make_key(const std::string& name, Role role, int64_t expires_ms = 0) {
    auto issued = keys->create({.name = name, .role = role, .expires_ms = expires_ms}, actor);
    CHECK(issued);
    return *issued;
  }

  AccessGuard& make_guard(AccessOptions options = {}) {
    guard = std::make_unique<AccessGuard>(*keys, *sessions, *audit, clock, state.registry,
                                          std::move(options));
    return *guard;
  }

  LogCapture log;
  state::StateFixture state{access_migration_list()};
  SimulatedClock clock;
  SystemRandom random;
  const Actor actor{.name = "tester", .key_id = {}, .address = "127.0.0.1"};
  std::optional<state::EventStore> events;
  std::optional<AuditLog> audit;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<SessionStore> sessions;
  std::optional<TokenStore> tokens;
  std::unique_ptr<AccessGuard> guard;

 private:
  void load() {
    events.emplace(*state.store, clock, state.registry);
    audit.emplace(*state.store, *events, clock, state.registry);
    auto loaded = KeyStore::load(*state.store, *audit, clock, random);
    CHECK(loaded);
    keys = std::move(*loaded);
    auto loaded_sessions = SessionStore::load(*state.store, *keys, clock, random);
    CHECK(loaded_sessions);
    sessions = std::move(*loaded_sessions);
    tokens.emplace(*state.store, *keys, *audit, clock, random);
  }
  void unload() {
    guard.reset();
    tokens.reset();
    sessions.reset();
    keys.reset();
    audit.reset();
    events.reset();
  }
};

}  // namespace binnacle::store::access
