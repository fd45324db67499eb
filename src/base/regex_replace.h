// Replacements as Go's regexp writes them: "$1", "${1}", "$name", "${name}", "$$" for a dollar.
// Pure functions; any thread.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace binnacle {

// Appends `replacement` with its references filled in from the groups of a match, 0 the whole of
// it; a group that is none is empty. Stops soon after `out` has grown beyond max_bytes.
void append_replacement(std::string& out, std::string_view replacement, const re2::RE2& regex,
                        std::span<const re2::StringPiece> groups, size_t max_bytes);

// Regexp.ReplaceAllString: each match in turn.
std::string regex_replace_all(const re2::RE2& regex, std::string_view text,
                              std::string_view replacement, size_t max_bytes);

}  // namespace binnacle
