// What an engine must give, judged from what it gave in one scrape: the version as far as names
// tell it, and the canonical series that are due. Pure functions.
#pragma once

#include <array>
#include <string>

#include "collect/engines/alias_table.h"

namespace binnacle::collect::engines {

// What was seen of an engine in one scrape.
struct Evidence {
  std::array<bool, kNeeds> needs{};  // a row of that need was taken
  Version at_least = 0;              // newest `since` of the rows taken
  Version below = 0;                 // oldest `until` of them; 0: none
  void note(const Alias& alias);
};

// "0.10.2" when told, else ">=0.9,<0.13", ">=0.9", "<0.13" or "unknown".
std::string version_label(const std::string& told, const Evidence& evidence);

// Whether `engine` must give `series`. `told`: its version when known, else 0.
bool is_expected(Engine engine, Series series, const Evidence& evidence, Version told);

}  // namespace binnacle::collect::engines
