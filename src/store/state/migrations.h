// Numbered steps from an empty file to today's schema. Each room contributes a list from its own
// range of numbers (docs/formats/state.md); all lists together must be given wherever the file is
// opened.
#pragma once

#include "base/error.h"
#include "store/state/database.h"
#include "store/state/sql.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace binnacle::store::state {

struct Migration {
  int64_t number;  // unique over all rooms; never reused, never changed once released
  std::string_view name;
  Sql sql;
};

// This room's own: events, cursors, objects. Range 1 to 99.
std::span<const Migration> state_migrations();

// Applies what is missing in order of number, each in a transaction of its own together with its
// record. kFailedPrecondition when the file holds a migration that `migrations` does not: a newer
// binary wrote it.
Status migrate(Database& database, std::vector<Migration> migrations, int64_t now_ms);

// kFailedPrecondition unless the file holds all of `migrations` and no other.
Status require_migrated(Database& database, const std::vector<Migration>& migrations);

}  // namespace binnacle::store::state
