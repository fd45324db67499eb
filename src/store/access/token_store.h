// One-use tokens. A join token turns once into a key of role agent for the node that shows it; a
// login token turns once into the identity of the key it was made for. Looked up in the file at
// each use, so that a command beside the running server may make one. Any but I/O threads.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "store/access/audit_log.h"
#include "store/access/key_store.h"
#include "store/access/secret_text.h"
#include "store/state/state_store.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::store::access {

struct TokenInfo {
  std::string id;
  int64_t created_ms = 0;
  std::string created_by;
  int64_t expires_ms = 0;
  int64_t used_ms = 0;  // 0: not yet
  std::string used_by;  // the node's name
};

struct IssuedToken {
  std::string id;
  std::string token;  // the only time that it is told
  int64_t expires_ms = 0;
};

class TokenStore {
 public:
  static constexpr int64_t kMaxLifetimeMs = int64_t{30} * 24 * 3600 * 1000;
  static constexpr size_t kMaxTokens = 10'000;

  // References outlive the store; `random` must bear any thread.
  TokenStore(state::StateStore& store, KeyStore& keys, AuditLog& audit, const Clock& clock,
             Random& random)
      : store_(store), keys_(keys), audit_(audit), clock_(clock), random_(random) {}

  // kInvalidArgument unless 0 < lifetime <= kMaxLifetimeMs.
  Result<IssuedToken> create_join(int64_t lifetime_ms, const Actor& by);
  // For a key that is good now.
  Result<IssuedToken> create_login(const std::string& key_id, int64_t lifetime_ms, const Actor& by);
  Result<std::vector<TokenInfo>> list_joins();  // newest first

  // kUnauthenticated when the token is unknown, used or expired; kAlreadyExists when a key has the
  // node's name, and then the token stays good.
  Result<IssuedKey> redeem_join(std::string_view token, const std::string& node_name,
                                const std::string& address);
  Result<Identity> redeem_login(std::string_view token, const std::string& address);

  // Forgets tokens that ended more than their longest lifetime ago.
  Status remove_old();

 private:
  struct Draft;
  Result<IssuedToken> issue(const Draft& draft, const Actor& by);

  // Fixed after construction.
  state::StateStore& store_;
  KeyStore& keys_;
  AuditLog& audit_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace binnacle::store::access
