// A plain selector of PromQL as text: `up`, `up{job="node", instance=~"a.*"}`, `{__name__="up"}`,
// `{"http.status", code!="200"}`. Pure; any thread.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/matcher.h"

namespace binnacle::query::promql {

// kInvalidArgument says at which character and what was expected. A selector in which every matcher
// takes the empty string is refused, as Prometheus does, since it would select everything.
Result<model::Matchers> parse_selector(std::string_view text);

// A selector as series, labels and label values take it; like parse_selector, but `{}` rules apply
// to each.
Result<std::vector<model::Matchers>> parse_selectors(const std::vector<std::string_view>& texts);

}  // namespace binnacle::query::promql
