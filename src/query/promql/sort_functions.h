// sort, sort_desc, sort_by_label, sort_by_label_desc: they put the rows of an instant query in
// order. A range query's answer is always ordered by labels, so there they only warn. Source:
// Prometheus documentation, "Functions".
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

// Null: `call` is none of these.
Result<RowSourcePtr> sort_on_rows(const Call& call, std::vector<Argument>& args,
                                  EvalContext& context);

// Runs of digits compare as numbers of any length, what lies between as bytes: a2 before a10.
// Below 0: `a` goes first.
int compare_naturally(std::string_view a, std::string_view b);

}  // namespace binnacle::query::promql
