// The functions of PromQL by name, with what they take and give. Fixed; any thread. Source:
// Prometheus documentation, "Functions".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

struct FunctionSignature {
  std::string_view name;
  std::vector<ValueType> args;
  // 0: exactly these; n > 0: the last may be there 0 to n times; -1: any number of the last.
  int variadic = 0;
  ValueType returns = ValueType::kVector;
  bool experimental = false;
};

const FunctionSignature* find_function(std::string_view name);  // null: there is none
// What it gives depends on the step even where its arguments do not: time(), the dates, ...
bool depends_on_step(std::string_view function);
const std::vector<FunctionSignature>& all_functions();  // by name

}  // namespace binnacle::query::promql
