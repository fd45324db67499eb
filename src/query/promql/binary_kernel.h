// Operators over whole columns: the operator is chosen once, then one loop runs over the steps.
#pragma once

#include <span>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

// What a comparison gives where it holds; where it does not, nothing, but for kBool.
enum class Compared : uint8_t { kBool, kLhs, kRhs };

// Absent where a side is absent, or a comparison filters. `out` may be one of the sides.
void binary_columns(BinaryOp op, Compared compared, std::span<const double> lhs,
                    std::span<const double> rhs, std::span<double> out);

}  // namespace binnacle::query::promql
