// Answers a plain selector over evenly spaced steps: at each step the newest sample within the
// lookback, unless it is a stale marker. Series by series over all steps. Pure but for the store
// that it reads; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "model/querier.h"

namespace binnacle::query::promql {

struct Steps {
  int64_t start_ms = 0;
  int64_t end_ms = 0;   // included when a step falls on it
  int64_t step_ms = 0;  // 0: one step, at start_ms
  size_t count() const;
  int64_t at(size_t i) const { return start_ms + static_cast<int64_t>(i) * step_ms; }
};

struct QueryLimits {
  int64_t lookback_ms = 300'000;  // a sample exactly that old is too old
  size_t max_points = 11'000;     // steps of one series
  size_t max_series = 50'000;
  size_t max_samples = 50'000'000;  // values of one answer
};

struct SeriesValues {
  model::Labels labels;
  std::vector<double> values;  // one for each step; absent_value() where there is none
};

// A quiet NaN no sample carries; tell it by is_absent().
double absent_value();
bool is_absent(double value);

// Series without a value at any step are left out. Errors name the limit and its setting.
Result<std::vector<SeriesValues>> evaluate(model::Queryable& store, const model::Matchers& matchers,
                                           const Steps& steps, const QueryLimits& limits);

}  // namespace binnacle::query::promql
