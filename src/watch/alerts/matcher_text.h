// Matchers as people write them in alertmanager.yml, in API filters and on amtool's command line:
// `foo="bar", baz=~"x.*"`, with or without braces. Two grammars are known, as in Alertmanager: the
// older one (names of letters, digits and underscores, values that need no quotes) and the newer
// one (any UTF-8 name in quotes, Go's escapes). What only one of them takes is read by that one;
// where both take a text and differ, the older one wins. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/matcher.h"

namespace binnacle::watch::alerts {

inline constexpr size_t kMaxMatcherTextBytes = size_t{64} << 10;

// kInvalidArgument: "matchers (TEXT): what was expected at column N".
Result<model::Matchers> parse_matchers(std::string_view text);
// Exactly one, without braces.
Result<model::Matcher> parse_matcher(std::string_view text);

// `foo="bar"`; a name that the older grammar does not know stands in quotes.
std::string format_matcher(const model::Matcher& matcher);
std::string format_matchers(const model::Matchers& matchers);  // `{a="b",c=~"d"}`

// By name, value, operator: the order of matchers in the key of a route.
void sort_matchers(model::Matchers& matchers);

}  // namespace binnacle::watch::alerts
