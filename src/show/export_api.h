// Raw samples as they are stored, as JSON lines: to move them elsewhere and to hold them against
// another store. Docs: docs/api.md.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "model/querier.h"
#include "net/router.h"
#include "query/promql/query_meter.h"

namespace binnacle::show {

struct ExportApiDeps {
  model::Queryable& store;                             // outlives the router
  std::function<query::promql::QueryLimits()> limits;  // as they stand now; any thread
  size_t max_answer_bytes = size_t{256} << 20;         // 422 beyond: ask for a shorter range
};

// {"metric":{...},"values":[...],"timestamps":[...]} and a newline.
void append_export_line(std::string& out, const model::SeriesColumns& series);

Status register_export_api(net::Router& router, ExportApiDeps deps);

}  // namespace binnacle::show
