// Functions over instant vectors and scalars: mathematics, dates, labels, histograms, sorting,
// absent. Source: Prometheus documentation, "Functions".
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

// An argument, evaluated as far as it can be before the call.
struct Argument {
  ValueType type = ValueType::kScalar;
  RowSourcePtr rows;           // of a vector
  std::vector<double> scalar;  // one for each step
  std::string text;            // of a string
};

// A call that gives a vector and takes no range. Optional arguments that are not written are not in
// `args`; the dates' default, vector(time()), is seen to here. timestamp() gives the steps' times
// here: of a plain selector its caller knows the samples'. start_timestamp() gives nothing: samples
// have no start times. info() is not one of these (info_function.h), as it has series read. `call`
// and `context` outlive the source.
Result<RowSourcePtr> call_on_rows(const Call& call, std::vector<Argument> args,
                                  EvalContext& context);

// A call that gives a scalar (time, pi, scalar, min_of, max_of): one value for each step. start(),
// end(), range() and step() are no calls any more by then: they are the whole query's, also inside
// a subquery, whose steps `context` has.
Result<std::vector<double>> call_scalar(const Call& call, std::vector<Argument> args,
                                        EvalContext& context);

// absent(rows) and absent_over_time(rows): one row, 1 where no row has a value, with the labels
// that `argument` (as written) asks for by equality.
RowSourcePtr absent(const Expr& argument, RowSourcePtr rows, EvalContext& context);

}  // namespace binnacle::query::promql
