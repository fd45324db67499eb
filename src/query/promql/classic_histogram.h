// Classic histograms as they stand in rows: a row a bucket, told by its label le. Rows are put
// together by their other labels, and each histogram is then looked at step by step. Native
// histograms have no place here yet. One thread's. Source: Prometheus documentation,
// "histogram_quantile".
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "query/promql/held_rows.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

struct ClassicHistogram {
  struct Bucket {
    double bound;
    const double* counts;  // one for each step; of Columns
  };
  model::Labels labels;         // without le
  std::vector<Bucket> buckets;  // by bound once all are read
  std::vector<double> bounds;   // theirs
  bool gaps = false;            // a bucket is absent at some step
  bool equal_bounds = false;    // le="1" beside le="1.0"
};

// Keeps columns in large pieces that never move: the rows of one histogram come one here, one
// there, and a growing vector for each would copy them over and over.
class Columns {
 public:
  const double* keep(std::span<const double> column);

 private:
  std::vector<std::unique_ptr<double[]>> pieces_;
  std::span<double> rest_;  // of the last piece
};

struct ClassicHistograms {
  std::vector<ClassicHistogram> all;  // by first appearance
  Columns columns;
};

// A row whose le is no number gives a warning with the position of `argument` and is left out.
Result<ClassicHistograms> read_histograms(RowSource& rows, const Expr& argument, HeldBytes& held,
                                          EvalContext& context);

// The buckets of one histogram at one step, bounds ascending strictly. Reused from step to step, so
// that a step allocates nothing.
class BucketsAtStep {
 public:
  void start(const ClassicHistogram& histogram);
  // False: there are none.
  bool load(size_t step);
  std::span<const double> bounds() const { return bounds_; }
  std::span<double> counts() { return counts_; }

 private:
  bool load_some(size_t step);

  const ClassicHistogram* histogram_ = nullptr;
  std::span<const double> bounds_;
  std::span<double> counts_;
  std::vector<double> some_bounds_;
  std::vector<double> all_counts_;
};

}  // namespace binnacle::query::promql
