// The samples that a query's selectors read. Selectors with the same matchers are served by one
// read, held in memory; one that stands alone streams from the store. One query's, one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/querier.h"
#include "query/promql/query_meter.h"
#include "query/promql/query_plan.h"

namespace binnacle::query::promql {

class SeriesReader {
 public:
  virtual ~SeriesReader() = default;
  // As model::SeriesSet; charges the meter.
  virtual Result<bool> next(model::SeriesColumns& out) = 0;
};

class SeriesReads {
 public:
  // All outlive the reads.
  SeriesReads(model::Queryable& store, const QueryPlan& plan, QueryMeter& meter);
  ~SeriesReads();

  // Series of one of the plan's reads from the first on.
  Result<std::unique_ptr<SeriesReader>> open(size_t read);
  // Straight from the store, whatever the plan says.
  Result<std::unique_ptr<SeriesReader>> stream(const ReadPlan& read);
  // What the store said about the reads so far, each once.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Held;
  class HeldReader;
  Status hold(const ReadPlan& read, Held& held);

  model::Queryable& store_;
  const QueryPlan& plan_;
  QueryMeter& meter_;
  std::vector<std::string> warnings_;
  std::vector<std::unique_ptr<Held>> held_;  // by read; null: not read yet, or streaming
};

}  // namespace binnacle::query::promql
