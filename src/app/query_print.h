// The answer of a query for people and for programs. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "app/query_source.h"

namespace binnacle::app {

enum class QueryFormat : uint8_t { kTable, kCsv, kJson, kChart };

// kTable: a line for each point. kCsv: series,time,value (RFC 4180). kJson: what the Prometheus API
// answers under "data". kChart: a line of blocks for each series, `width` columns wide.
std::string print_answer(const AnsweredQuery& answer, const AskedQuery& query, QueryFormat format,
                         size_t width);

}  // namespace binnacle::app
