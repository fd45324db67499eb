#include "app/key_desk.h"
#include "app/state_schema.h"
#include "base/clock.h"
#include "base/data_folder.h"
#include "base/instruments.h"
#include "base/random.h"
#include "store/access/key_json.h"
#include "store/access/key_store.h"
#include "store/access/token_store.h"
#include "store/state/event_store.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <optional>
#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;
using store::access::Actor;
using store::access::AuditLog;
using store::access::IssuedKey;
using store::access::IssuedToken;
using store::access::KeyInfo;
using store::access::KeyStore;
using store::access::NewKey;
using store::access::TokenStore;
using store::state::EventStore;
using store::state::StateOptions;
using store::state::StateStore;

Actor command_line_actor() {
  const char* user = std::getenv("USER");
  return {.name = fmt::format("command line ({})", user != nullptr ? user : "unknown user"),
          .key_id = {},
          .address = {}};
}

enum class Beside : uint8_t { kNever, kWhenServerRuns };

// The rooms that a change of keys touches, without a server round them.
class KeyRooms {
 public:
  static Result<std::unique_ptr<KeyRooms>> open(FileSystem& files, const std::string& data_folder,
                                                Beside beside) {
    TRY(prepare_data_folder(files, data_folder));
    auto rooms = std::make_unique<KeyRooms>();
    TRY(rooms->open_state(files, data_folder, beside));
    TRY(rooms->open_keys());
    return rooms;
  }

  KeyStore& keys() { return *keys_; }
  TokenStore& tokens() { return *tokens_; }
  int64_t wall_ms() const { return clock_.wall_ms(); }

 private:
  Status open_state(FileSystem& files, const std::string& data_folder, Beside beside) {
    StateOptions options{.path = state_path(data_folder),
                         .migrations = all_migrations(),
                         .readers = 1,
                         .write_limits = {}};
    auto opened = StateStore::open(options, files, clock_, registry_);
    const bool held = !opened && opened.error().code == Code::kAlreadyExists;
    if (held && beside == Beside::kWhenServerRuns) {
      opened = StateStore::open_beside(std::move(options), clock_, registry_);
    } else if (held) {
      return fail(
          Code::kFailedPrecondition,
          fmt::format("data folder {}: a server runs on it ({}); ask that server: add "
                      "--server http://127.0.0.1:8080 (its address) and, once a key exists, "
                      "--key with an admin key",
                      data_folder, opened.error().message));
    }
    TRY_ASSIGN(state_, std::move(opened));
    return {};
  }

  Status open_keys() {
    events_.emplace(*state_, clock_, registry_);
    audit_.emplace(*state_, *events_, clock_, registry_);
    TRY_ASSIGN(keys_, KeyStore::load(*state_, *audit_, clock_, random_));
    tokens_.emplace(*state_, *keys_, *audit_, clock_, random_);
    return {};
  }

  // Each stands on those above it.
  SystemClock clock_;
  Registry registry_;
  SystemRandom random_;
  std::unique_ptr<StateStore> state_;
  std::optional<EventStore> events_;
  std::optional<AuditLog> audit_;
  std::unique_ptr<KeyStore> keys_;
  std::optional<TokenStore> tokens_;
};

class LocalKeyDesk final : public KeyDesk {
 public:
  explicit LocalKeyDesk(std::unique_ptr<KeyRooms> rooms) : rooms_(std::move(rooms)) {}

  Result<json> create(const json& key) override {
    TRY_ASSIGN(NewKey wanted, store::access::new_key_from_json(key, rooms_->wall_ms()));
    TRY_ASSIGN(const IssuedKey issued,
               rooms_->keys().create(std::move(wanted), command_line_actor()));
    return issued_key_json(issued);
  }

  Result<json> list() override {
    json keys = json::array();
    for (const KeyInfo& info : rooms_->keys().list()) keys.push_back(key_json(info));
    return json{{"keys", std::move(keys)}};
  }

  Status revoke(const std::string& id) override {
    return rooms_->keys().revoke(id, command_line_actor());
  }

  Result<json> rotate(const std::string& id, int64_t overlap_s) override {
    TRY_ASSIGN(const IssuedKey issued,
               rooms_->keys().rotate(id, overlap_s * 1000, command_line_actor()));
    return issued_key_json(issued);
  }

  Result<json> join_token(int64_t lifetime_s) override {
    TRY_ASSIGN(const IssuedToken issued,
               rooms_->tokens().create_join(lifetime_s * 1000, command_line_actor()));
    return issued_token_json(issued);
  }

 private:
  const std::unique_ptr<KeyRooms> rooms_;
};

// Nullopt when there is no admin key that is good now.
std::optional<KeyInfo> newest_admin_key(const KeyStore& keys, int64_t now_ms) {
  std::optional<KeyInfo> newest;
  for (const KeyInfo& info : keys.list()) {
    const bool good = info.revoked_ms == 0 && (info.expires_ms == 0 || info.expires_ms > now_ms);
    if (info.role != Role::kAdmin || !good) continue;
    if (!newest || info.created_ms > newest->created_ms) newest = info;
  }
  return newest;
}

}  // namespace

Result<std::unique_ptr<KeyDesk>> open_local_key_desk(FileSystem& files,
                                                     const std::string& data_folder) {
  TRY_ASSIGN(std::unique_ptr<KeyRooms> rooms, KeyRooms::open(files, data_folder, Beside::kNever));
  return std::make_unique<LocalKeyDesk>(std::move(rooms));
}

Result<std::string> make_login_token(FileSystem& files, const std::string& data_folder,
                                     int64_t lifetime_ms) {
  TRY_ASSIGN(std::unique_ptr<KeyRooms> rooms,
             KeyRooms::open(files, data_folder, Beside::kWhenServerRuns));
  const std::optional<KeyInfo> key = newest_admin_key(rooms->keys(), rooms->wall_ms());
  if (!key) {
    return fail(Code::kFailedPrecondition,
                "login link: there is no admin key to log in with; make one with `binnacle key "
                "create --role admin --name NAME`");
  }
  TRY_ASSIGN(const IssuedToken issued,
             rooms->tokens().create_login(key->id, lifetime_ms, command_line_actor()));
  return issued.token;
}

}  // namespace binnacle::app
