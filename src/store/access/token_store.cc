#include "store/access/token_store.h"

#include "base/json_text.h"

#include <fmt/format.h>

#include <utility>

namespace binnacle::store::access {
namespace {

using state::Blob;
using state::Database;
using state::Statement;

// Marks the token used and answers the key it was made for ("" for a join token). In one statement,
// so that of two who show it together one gets nothing. The hash is of 256 random bits: comparing
// it in SQL tells a clock nothing that helps.
Result<std::string> consume(Database& database, std::string_view purpose, const SecretText& token,
                            std::string_view used_by, int64_t now_ms) {
  TRY_ASSIGN(
      Statement row,
      database.query("UPDATE access_tokens SET used_ms = ?, used_by = ?"
                     " WHERE id = ? AND purpose = ? AND secret_hash = ? AND used_ms = 0"
                     " AND expires_ms > ? RETURNING key_id",
                     now_ms, used_by, token.id, purpose, Blob{secret_hash(token.secret)}, now_ms));
  TRY_ASSIGN(const bool found, row.step());
  if (!found) {
    return fail(Code::kUnauthenticated,
                fmt::format("{} token not accepted: unknown, used or expired; make a new one with "
                            "`binnacle key {}`",
                            purpose, purpose == "join" ? "join-token" : "login-link"));
  }
  std::string key_id = row.text(0);
  TRY(row.run());
  return key_id;
}

}  // namespace

struct TokenStore::Draft {
  SecretKind kind;
  std::string_view purpose;  // "join", "login"
  std::string key_id;        // of a login token
  int64_t lifetime_ms;
};

Result<IssuedToken> TokenStore::create_join(int64_t lifetime_ms, const Actor& by) {
  return issue(
      {.kind = SecretKind::kJoinToken, .purpose = "join", .key_id = {}, .lifetime_ms = lifetime_ms},
      by);
}

Result<IssuedToken> TokenStore::create_login(const std::string& key_id, int64_t lifetime_ms,
                                             const Actor& by) {
  TRY(keys_.identity_of(key_id));
  return issue({.kind = SecretKind::kLoginToken,
                .purpose = "login",
                .key_id = key_id,
                .lifetime_ms = lifetime_ms},
               by);
}

Result<IssuedToken> TokenStore::issue(const Draft& draft, const Actor& by) {
  if (draft.lifetime_ms <= 0 || draft.lifetime_ms > kMaxLifetimeMs) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{} token: the lifetime must be above 0 and at most 30 days", draft.purpose));
  }
  const SecretText text = make_secret(random_);
  const int64_t now_ms = clock_.wall_ms();
  const int64_t expires_ms = now_ms + draft.lifetime_ms;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(const int64_t count, database.query_integer("SELECT count(*) FROM access_tokens"));
    if (count >= static_cast<int64_t>(kMaxTokens)) {
      return fail(Code::kResourceExhausted,
                  fmt::format("{} token: {} tokens are the most; wait for old ones to be forgotten",
                              draft.purpose, kMaxTokens));
    }
    TRY_ASSIGN(
        Statement insert,
        database.prepare("INSERT INTO access_tokens(id, purpose, secret_hash, key_id,"
                         " created_ms, created_by, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, text.id);
    insert.bind(2, draft.purpose);
    insert.bind(3, Blob{secret_hash(text.secret)});
    if (!draft.key_id.empty()) insert.bind(4, draft.key_id);
    insert.bind(5, now_ms);
    insert.bind(6, by.name);
    insert.bind(7, expires_ms);
    TRY(insert.run());
    return audit_.append_in(database, {.action = fmt::format("{}_token.created", draft.purpose),
                                       .actor = by,
                                       .subject = text.id});
  }));
  return IssuedToken{
      .id = text.id, .token = write_secret(draft.kind, text), .expires_ms = expires_ms};
}

Result<std::vector<TokenInfo>> TokenStore::list_joins() {
  std::vector<TokenInfo> tokens;
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(Statement row,
               database.query("SELECT id, created_ms, created_by, expires_ms, used_ms, used_by"
                              " FROM access_tokens WHERE purpose = 'join'"
                              " ORDER BY created_ms DESC, id"));
    for (;;) {
      TRY_ASSIGN(const bool found, row.step());
      if (!found) return {};
      tokens.push_back({.id = row.text(0),
                        .created_ms = row.integer(1),
                        .created_by = row.text(2),
                        .expires_ms = row.integer(3),
                        .used_ms = row.integer(4),
                        .used_by = row.text(5)});
    }
  }));
  return tokens;
}

Result<IssuedKey> TokenStore::redeem_join(std::string_view token, const std::string& node_name,
                                          const std::string& address) {
  const auto text = parse_secret(SecretKind::kJoinToken, token);
  if (!text) return fail(Code::kUnauthenticated, "join token not accepted: not a join token");
  const SecretText key_text = keys_.draw();
  const Actor by{.name = fmt::format("join token {}", text->id), .key_id = {}, .address = address};
  IssuedKey issued;
  TRY(store_.write([&](Database& database) -> Status {
    TRY(consume(database, "join", *text, node_name, clock_.wall_ms()));
    TRY_ASSIGN(issued,
               keys_.insert_in(database, {.name = node_name, .role = Role::kAgent}, key_text, by));
    return {};
  }));
  TRY(keys_.reload());
  return issued;
}

Result<Identity> TokenStore::redeem_login(std::string_view token, const std::string& address) {
  const auto text = parse_secret(SecretKind::kLoginToken, token);
  if (!text) return fail(Code::kUnauthenticated, "login token not accepted: not a login token");
  Identity identity;
  TRY(store_.write([&](Database& database) -> Status {
    TRY_ASSIGN(const std::string key_id,
               consume(database, "login", *text, address, clock_.wall_ms()));
    TRY_ASSIGN(identity, keys_.identity_of(key_id));
    return audit_.append_in(database,
                            {.action = "login.succeeded",
                             .actor = {.name = identity.name, .key_id = key_id, .address = address},
                             .subject = key_id,
                             .detail = "{\"by\":\"login token\"}"});
  }));
  return identity;
}

Status TokenStore::remove_old() {
  return store_.write([this](Database& database) {
    return database.run("DELETE FROM access_tokens WHERE expires_ms < ?",
                        clock_.wall_ms() - kMaxLifetimeMs);
  });
}

}  // namespace binnacle::store::access
