// The two grammars of matcher_text.h, each for itself. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/matcher.h"

namespace binnacle::watch::alerts {

// Errors say what was expected at which column (bytes from 1), or what is wrong with a regex.
Result<model::Matchers> parse_classic_matchers(std::string_view text);
Result<model::Matchers> parse_utf8_matchers(std::string_view text);

// Characters that a name without quotes does not hold: Unicode's spaces and {}!=~,\"'`. The length
// in bytes of the one at the start of `text`; 0 when there is none.
size_t reserved_character(std::string_view text);

}  // namespace binnacle::watch::alerts
