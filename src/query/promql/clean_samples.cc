#include "query/promql/clean_samples.h"

#include <limits>

#include "model/sample.h"
#include "query/promql/column.h"

namespace binnacle::query::promql {

Samples CleanSamples::without_stale(const model::SeriesColumns& columns) {
  copied_ = has_nan(columns.values);
  if (!copied_) return {columns.timestamps_ms, columns.values};
  times_ms_.clear();
  values_.clear();
  for (size_t i = 0; i < columns.values.size(); ++i) {
    const double value = columns.values[i];
    if (model::is_stale(value)) continue;
    times_ms_.push_back(columns.timestamps_ms[i]);
    // Of NaNs there is one kind from here on, so that none is taken for an absent value.
    values_.push_back(value != value ? std::numeric_limits<double>::quiet_NaN() : value);
  }
  return {times_ms_, values_};
}

}  // namespace binnacle::query::promql
