// The info that rate() and increase() give where a metric is not named like a counter: once a name.
#pragma once

#include <string>

#include "query/promql/range_functions.h"

namespace binnacle::query::promql {

class CounterName {
 public:
  explicit CounterName(const RangeCall& call);
  // Of a series that gave a value at some step.
  void look_at(model::LabelsView labels);

 private:
  Annotations& annotations_;
  const PositionRange position_;
  std::string told_;  // the last name; series come sorted by it, mostly
};

}  // namespace binnacle::query::promql
