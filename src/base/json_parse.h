// The one parser of JSON trees. Elsewhere a tree is only walked, so that the parser is compiled
// once. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace binnacle {

// Arrays and objects within each other: what reads and writes trees calls itself once a level.
inline constexpr int kMaxJsonDepth = 256;

// The tree of one JSON text; discarded (is_discarded()) where it is none, or deeper than
// kMaxJsonDepth.
nlohmann::json parse_json(std::string_view text);

}  // namespace binnacle
