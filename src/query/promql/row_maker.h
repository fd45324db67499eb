// Makes a row of a series: what an instant selector or a function over a range selector does with
// the samples. Series do not know each other, so several threads can do this at a time, each with a
// maker of its own.
#pragma once

#include <functional>
#include <memory>

#include "base/error.h"
#include "model/querier.h"
#include "query/promql/annotations.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

class RowMaker {
 public:
  virtual ~RowMaker() = default;
  // False where the series has no value at any step. `out` views the series and the maker until
  // the next call. A series whose times have the id of the one before has the same.
  virtual Result<bool> make(const model::SeriesColumns& series, Row& out) = 0;
};

// What is told of the rows goes to `annotations`, which outlive the maker.
using RowMakerFactory = std::function<std::unique_ptr<RowMaker>(Annotations& annotations)>;

}  // namespace binnacle::query::promql
