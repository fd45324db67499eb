// Finds the rows of the alias table that a series of an engine fits. Made once for the process;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/engines/alias_table.h"
#include "model/labels.h"

namespace binnacle::collect::engines {

// Which sample of a canonical series a sample of the engine becomes.
enum class Role : uint8_t { kValue, kBucket, kSum, kCount };
std::string_view role_suffix(Role role);  // "_bucket"

struct Match {
  const Alias* alias = nullptr;
  Role role = Role::kValue;
};

struct Matches {
  const AliasTable* table = nullptr;  // null: no engine's name
  std::vector<Match> rows;            // may be empty beside a table
  std::string family;  // the name as exposed, of a histogram without its samples' suffix
};

// By name and the rows' `only_` labels.
Matches match_series(model::LabelsView labels);

}  // namespace binnacle::collect::engines
