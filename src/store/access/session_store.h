// Login sessions of browsers: a random id in a cookie stands for a key, so that the key itself is
// typed once. Only the id's hash is kept. Rows outlive a restart; look-ups are in memory and never
// wait for the disk. authenticate() from any thread, the rest from any but I/O threads.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/random.h"
#include "store/access/key_store.h"
#include "store/state/state_store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace binnacle::store::access {

inline constexpr std::string_view kSessionCookie = "binnacle_session";

struct SessionOptions {
  int64_t lifetime_ms = int64_t{24} * 3600 * 1000;
  size_t max_sessions = 10'000;  // beyond, the one that ends first makes room
};

struct IssuedSession {
  std::string id;  // for the cookie
  int64_t expires_ms = 0;
};

class SessionStore {
 public:
  // References outlive the store; `random` must bear any thread.
  static Result<std::unique_ptr<SessionStore>> load(state::StateStore& store, const KeyStore& keys,
                                                    const Clock& clock, Random& random,
                                                    SessionOptions options = {});

  // The identity of the session's key as it stands now. kUnauthenticated when session or key are no
  // more.
  Result<Identity> authenticate(std::string_view id) const EXCLUDES(mu_);

  Result<IssuedSession> create(const std::string& key_id) EXCLUDES(mu_);
  Status remove(std::string_view id) EXCLUDES(mu_);  // fine when it is not there
  Status remove_expired() EXCLUDES(mu_);

 private:
  struct Session {
    std::string key_id;
    int64_t expires_ms = 0;
  };

  SessionStore(state::StateStore& store, const KeyStore& keys, const Clock& clock, Random& random,
               SessionOptions options);
  Status load_rows() EXCLUDES(mu_);
  Status make_room() EXCLUDES(mu_);
  Status remove_hash(const std::string& hash) EXCLUDES(mu_);

  // Fixed after construction.
  state::StateStore& store_;
  const KeyStore& keys_;
  const Clock& clock_;
  Random& random_;
  const SessionOptions options_;

  mutable Mutex mu_;                                                   // never held over the disk
  std::unordered_map<std::string, Session> sessions_ GUARDED_BY(mu_);  // by hash of the id
};

}  // namespace binnacle::store::access
