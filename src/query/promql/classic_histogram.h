// Classic histograms as they stand in rows: a row a bucket, told by its label le. Rows are put
// together by their other labels, and each histogram is then looked at step by step. Native
// histograms have no place here yet. One thread's. Source: Prometheus documentation,
// "histogram_quantile".
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "query/promql/held_rows.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

struct ClassicHistogram {
  model::Labels labels;         // without le
  std::vector<double> bounds;   // of each bucket, ascending once all are read
  std::vector<double> columns;  // of each bucket in the order of arrival, one after another
  std::vector<uint32_t> order;  // bounds[k] is of column order[k]
  bool gaps = false;            // a bucket is absent at some step
  bool equal_bounds = false;    // le="1" beside le="1.0"
};

// By first appearance. A row whose le is no number gives a warning with the position of `argument`
// and is left out.
Result<std::vector<ClassicHistogram>> read_histograms(RowSource& rows, const Expr& argument,
                                                      HeldBytes& held, EvalContext& context);

// The buckets of one histogram at one step, bounds ascending strictly. Reused from step to step, so
// that a step allocates nothing.
class BucketsAtStep {
 public:
  explicit BucketsAtStep(size_t steps) : steps_(steps) {}
  void start(const ClassicHistogram& histogram);
  // False: there are none.
  bool load(size_t step);
  std::span<const double> bounds() const { return bounds_; }
  std::span<double> counts() { return counts_; }

 private:
  bool load_some(size_t step);

  const size_t steps_;
  const ClassicHistogram* histogram_ = nullptr;
  std::span<const double> bounds_;
  std::span<double> counts_;
  std::vector<double> some_bounds_;
  std::vector<double> all_counts_;
};

}  // namespace binnacle::query::promql
