// Evaluates PromQL over a store. A query is parsed, its durations and constants are resolved, and
// it becomes a tree of RowSources that pulls series by series through all steps at once. Any
// thread; many queries at a time, up to the limits of QueryQueue.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/querier.h"
#include "query/promql/ast.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

struct Query {
  std::string text;
  Steps steps;              // of an instant query one step
  bool instant = false;     // the answer may be a string or a range vector
  bool step_stats = false;  // count samples step by step, which reads them once more
};

// A series of a range vector: raw samples.
struct SampleSeries {
  model::Labels labels;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
  bool drop_name = false;  // as a Row's; never in an answer
};

struct QueryStats {
  double parse_seconds = 0;
  double prepare_seconds = 0;
  double eval_seconds = 0;
  uint64_t series = 0;   // touched
  uint64_t samples = 0;  // read
  uint64_t peak_bytes = 0;
  std::vector<uint64_t> samples_per_step;  // where Query::step_stats asks for them
};

struct QueryAnswer {
  ValueType type = ValueType::kVector;  // of a range query always kMatrix
  Steps steps;
  // kVector: one value each, in order; kMatrix of a range query: one for each step, absent ones
  // among them, by labels. No row is absent everywhere; no two have the same labels.
  std::vector<OwnedRow> rows;
  std::vector<SampleSeries> samples;  // kMatrix of an instant query
  double scalar = 0;
  std::string text;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  QueryStats stats;
};

// Errors: kInvalidArgument (the query is wrong), kOutOfRange (it cannot be executed: duplicate
// series, ...), kResourceExhausted (a limit, by name), kDeadlineExceeded, kCancelled, and those of
// the store. `cancelled` may be null. `helpers` do a part of the work where there is much; null:
// none.
Result<QueryAnswer> evaluate(model::Queryable& store, const Query& query, const QueryLimits& limits,
                             const Clock& clock, const std::atomic<bool>* cancelled = nullptr,
                             ThreadPool* helpers = nullptr);
// The same for an expression that was parsed before; `query.text` is its text.
Result<QueryAnswer> evaluate(model::Queryable& store, const Expr& expr, const Query& query,
                             const QueryLimits& limits, const Clock& clock,
                             const std::atomic<bool>* cancelled = nullptr,
                             ThreadPool* helpers = nullptr);

}  // namespace binnacle::query::promql
