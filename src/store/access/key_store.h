// Keys and their roles. Rows live in the state store; authenticate() looks at a copy in memory, so
// it never waits for the disk. Changes wait for the disk and are audited in the same transaction.
// Any thread for authenticate(), open(), identity_of() and list(); any but I/O threads for the
// rest.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/random.h"
#include "model/authorizer.h"
#include "store/access/audit_log.h"
#include "store/access/secret_text.h"
#include "store/state/state_store.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace binnacle::store::access {

struct NewKey {
  std::string name;  // unique among keys that are not revoked
  Role role = Role::kViewer;
  int64_t expires_ms = 0;     // wall; 0: never
  std::string scopes = "{}";  // JSON, for rooms that limit a key further
};

struct KeyInfo {
  std::string id;
  std::string name;
  Role role = Role::kViewer;
  int64_t created_ms = 0;
  std::string created_by;
  int64_t expires_ms = 0;    // 0: never
  int64_t revoked_ms = 0;    // 0: not
  int64_t last_used_ms = 0;  // 0: never
  std::string scopes;
};

struct IssuedKey {
  KeyInfo info;
  std::string key;  // the only time that it is told
};

class KeyStore final : public model::Authorizer {
 public:
  static constexpr size_t kMaxKeys = 10'000;  // revoked ones included

  // Reads the keys. References outlive the store; `random` must bear any thread.
  static Result<std::unique_ptr<KeyStore>> load(state::StateStore& store, AuditLog& audit,
                                                const Clock& clock, Random& random);

  bool open() const override;
  Result<Identity> authenticate(std::string_view key) const override;
  // For sessions and one-use logins: kUnauthenticated once the key is revoked or expired.
  Result<Identity> identity_of(const std::string& id) const;
  std::vector<KeyInfo> list() const;  // by name, revoked ones last

  // kInvalidArgument for a bad name or role, kAlreadyExists for a name that is taken.
  Result<IssuedKey> create(NewKey key, const Actor& by) EXCLUDES(change_mu_);
  // kNotFound. A key that is revoked already is left alone.
  Status revoke(const std::string& id, const Actor& by) EXCLUDES(change_mu_);
  // A new secret; the old one stays good for `overlap_ms` more.
  Result<IssuedKey> rotate(const std::string& id, int64_t overlap_ms, const Actor& by)
      EXCLUDES(change_mu_);

  // For a larger write: draw() outside it, insert_in() inside, reload() after.
  SecretText draw() { return make_secret(random_); }
  Result<IssuedKey> insert_in(state::Database& database, const NewKey& key, const SecretText& text,
                              const Actor& by);
  Status reload() EXCLUDES(change_mu_);

  // Writes down when keys were last used. Now and then, and before closing.
  Status flush_last_used();

 private:
  // Shared by all copies of a key's record, so that a use is not lost when the copy is replaced.
  struct Use {
    std::atomic<int64_t> last_ms = 0;
    std::atomic<int64_t> stored_ms = 0;
  };
  struct Record {
    KeyInfo info;
    std::string hash;
    std::string previous_hash;
    int64_t previous_until_ms = 0;
    std::shared_ptr<Use> use;
  };
  using Records = std::unordered_map<std::string, Record>;

  KeyStore(state::StateStore& store, AuditLog& audit, const Clock& clock, Random& random);
  std::shared_ptr<const Records> records() const EXCLUDES(mu_);
  Status reload_locked() REQUIRES(change_mu_);
  Result<Identity> admit(const Record& record) const;

  // Fixed after construction.
  state::StateStore& store_;
  AuditLog& audit_;
  const Clock& clock_;
  Random& random_;

  Mutex change_mu_;  // held over disk writes; before mu_
  // Held for the copy of a pointer. An atomic<shared_ptr> of libstdc++ 12 is a spin lock that the
  // thread sanitizer does not understand, and no faster.
  mutable Mutex mu_;
  std::shared_ptr<const Records> records_ GUARDED_BY(mu_);
};

}  // namespace binnacle::store::access
