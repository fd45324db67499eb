// PromQL text to a tree. Hand-written recursive descent with precedence climbing; a query that it
// takes is well typed, so the evaluator checks no types again. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"

namespace binnacle::query::promql {

struct ParseOptions {
  // Experimental functions, duration expressions, anchored, smoothed, fill modifiers.
  bool experimental = false;
  // Of nested expressions and of the tree; an error beyond. What walks trees recurses this deep.
  size_t max_depth = 256;
  size_t max_bytes = size_t{1} << 20;
};

// kInvalidArgument; its message is the first error in Prometheus' words: `1:5: parse error:
// unexpected ...`. Lines and columns count from 1, columns in bytes.
Result<ExprPtr> parse(std::string_view text, const ParseOptions& options = {});

// A selector without range, offset or @: `up`, `up{job="node", instance=~"a.*"}`,
// `{"http.status", code!="200"}`. One in which every matcher takes the empty string is refused,
// since it would select everything.
Result<model::Matchers> parse_selector(std::string_view text);
Result<std::vector<model::Matchers>> parse_selectors(const std::vector<std::string_view>& texts);

// A series as the .test language and the series lines of rule tests write it: `up{job="a"}`,
// `{"quoted.name", a="b"}`.
Result<model::Labels> parse_metric(std::string_view text);

// "1h30m", "5m", "90" and "1.5" (seconds) where the query language takes a duration literal.
Result<int64_t> parse_promql_duration_ms(std::string_view text);

// line and column of a byte, as `1:5`.
std::string line_and_column(std::string_view text, uint32_t position);

}  // namespace binnacle::query::promql
