#include "store/access/access_schema.h"

namespace binnacle::store::access {
namespace {

constexpr state::Migration kAccessMigrations[] = {
    {100, "keys",
     "CREATE TABLE access_keys ("
     "  id TEXT PRIMARY KEY,"
     "  name TEXT NOT NULL,"
     "  role TEXT NOT NULL,"
     "  secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),"
     "  previous_hash BLOB,"
     "  previous_until_ms INTEGER NOT NULL DEFAULT 0,"
     "  created_ms INTEGER NOT NULL,"
     "  created_by TEXT NOT NULL,"
     "  expires_ms INTEGER NOT NULL,"
     "  revoked_ms INTEGER NOT NULL DEFAULT 0,"
     "  last_used_ms INTEGER NOT NULL DEFAULT 0,"
     "  scopes TEXT NOT NULL CHECK (json_valid(scopes))"
     ") WITHOUT ROWID;"
     "CREATE UNIQUE INDEX access_keys_name ON access_keys(name) WHERE revoked_ms = 0;"},
    {101, "one-use tokens",
     "CREATE TABLE access_tokens ("
     "  id TEXT PRIMARY KEY,"
     "  purpose TEXT NOT NULL CHECK (purpose IN ('join', 'login')),"
     "  secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),"
     "  key_id TEXT REFERENCES access_keys(id),"
     "  created_ms INTEGER NOT NULL,"
     "  created_by TEXT NOT NULL,"
     "  expires_ms INTEGER NOT NULL,"
     "  used_ms INTEGER NOT NULL DEFAULT 0,"
     "  used_by TEXT NOT NULL DEFAULT ''"
     ") WITHOUT ROWID;"},
    {102, "sessions",
     "CREATE TABLE access_sessions ("
     "  id_hash BLOB PRIMARY KEY CHECK (length(id_hash) = 32),"
     "  key_id TEXT NOT NULL REFERENCES access_keys(id),"
     "  created_ms INTEGER NOT NULL,"
     "  expires_ms INTEGER NOT NULL"
     ") WITHOUT ROWID;"},
    {103, "audit",
     "CREATE TABLE audit ("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  time_ms INTEGER NOT NULL,"
     "  action TEXT NOT NULL,"
     "  actor TEXT NOT NULL,"
     "  key_id TEXT NOT NULL,"
     "  address TEXT NOT NULL,"
     "  subject TEXT NOT NULL,"
     "  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'refused', 'failed')),"
     "  detail TEXT NOT NULL CHECK (json_valid(detail)),"
     "  previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),"
     "  hash BLOB NOT NULL CHECK (length(hash) = 32)"
     ");"
     "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"
     "  SELECT RAISE(ABORT, 'the audit log is append-only');"
     "END;"
     "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN"
     "  SELECT RAISE(ABORT, 'the audit log is append-only');"
     "END;"},
};

}  // namespace

std::span<const state::Migration> access_migrations() { return kAccessMigrations; }

}  // namespace binnacle::store::access
