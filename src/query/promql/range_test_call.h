// For the tests of range functions: a call as the parser would build it, one series and the steps
// over it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/promql/function_table.h"
#include "query/promql/range_functions.h"

namespace binnacle::query::promql {

struct RangeCase {
  std::string function;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
  Steps steps;
  int64_t range_ms = 0;
  int64_t offset_ms = 0;
  int64_t lookback_ms = 300'000;
  bool anchored = false;
  bool smoothed = false;
  std::vector<double> scalars = {};  // the same at each step
  model::Labels labels = {{"__name__", "requests_total"}};
};

// f(selector, scalars) or, of quantile_over_time, f(scalar, selector).
inline std::unique_ptr<Call> call_of(const FunctionSignature& signature, size_t scalars,
                                     bool subquery = false) {
  auto call = std::make_unique<Call>();
  call->function = &signature;
  ExprPtr selector;
  if (subquery) {
    selector = std::make_unique<Subquery>();
  } else {
    selector = std::make_unique<MatrixSelector>();
  }
  selector->position = {5, 20};
  const bool scalar_first = signature.name == "quantile_over_time";
  if (!scalar_first) call->args.push_back(std::move(selector));
  for (size_t i = 0; i < scalars; ++i) {
    call->args.push_back(std::make_unique<NumberLiteral>());
    call->args.back()->position = {3, 4};
  }
  if (scalar_first) call->args.push_back(std::move(selector));
  return call;
}

struct RangeAnswer {
  Result<std::vector<double>> values;
  Annotations annotations{"f(selector, 0)"};
};

inline RangeAnswer run(const RangeCase& c) {
  FunctionSignature signature;
  signature.name = c.function;
  const std::unique_ptr<Call> call = call_of(signature, c.scalars.size());
  RangeAnswer answer;
  std::vector<std::vector<double>> columns;
  for (const double scalar : c.scalars)
    columns.emplace_back(std::vector<double>(c.steps.count(), scalar));
  auto function = make_range_function({*call,
                                       {columns.begin(), columns.end()},
                                       c.lookback_ms,
                                       c.anchored,
                                       c.smoothed,
                                       answer.annotations});
  if (!function) {
    answer.values = Unexpected(function.error());
    return answer;
  }
  Windows windows{c.steps, c.range_ms, c.offset_ms, {}, {}};
  windows.find(c.times_ms);
  std::vector<double> out(c.steps.count(), 42.0);
  (*function)->apply(c.labels, {c.times_ms, c.values}, windows, out);
  answer.values = std::move(out);
  return answer;
}

}  // namespace binnacle::query::promql
