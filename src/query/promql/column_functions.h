// Functions of one value: a row goes in and a row comes out, nothing is held. Each is a loop over a
// whole column. Pure; any thread.
#pragma once

#include <span>
#include <string_view>

#include "query/promql/rows.h"

namespace binnacle::query::promql {

// `out` is as long as `in` and may be the same; what is absent stays so.
using ColumnFunction = void (*)(std::span<const double> in, std::span<double> out);

ColumnFunction find_math_function(std::string_view name);  // null: not one of these
ColumnFunction find_date_function(std::string_view name);  // values are Unix seconds

// The rows' values go through `function`; the name goes.
RowSourcePtr map_rows(RowSourcePtr rows, ColumnFunction function);

// Applies `value_function`, which takes and gives one double, to all values of a column. Inline, so
// that a loop is made for each function.
template <auto value_function>
void apply_to_column(std::span<const double> in, std::span<double> out) {
  for (size_t i = 0; i < in.size(); ++i) {
    const double v = in[i];
    out[i] = is_absent(v) ? v : value_function(v);
  }
}

}  // namespace binnacle::query::promql
