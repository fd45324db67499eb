// Rule files as Prometheus writes them, checked: groups of recording and alerting rules. Immutable
// once read. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"

namespace binnacle::watch::rules {

using TextPairs = std::vector<std::pair<std::string, std::string>>;  // sorted by the first

struct Rule {
  bool alerting = false;
  std::string name;                                   // the recorded series or the alert
  std::string expr;                                   // as written
  std::shared_ptr<const query::promql::Expr> parsed;  // shared with evaluations that are under way
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  TextPairs labels;       // values are templates where the rule alerts
  TextPairs annotations;  // values are templates
  // Extension `x-clear`: while the alert fires, this expression decides whether it goes on.
  std::shared_ptr<const query::promql::Expr> clear;  // null: the same expression
  std::string clear_expr;
  int line = 0;
};

struct RuleGroup {
  std::string file;
  std::string name;
  int64_t interval_ms = 0;  // 0: the global evaluation_interval
  std::optional<int64_t> query_offset_ms;
  size_t limit = 0;  // of the series or alerts that a rule makes; 0: none
  TextPairs labels;
  std::vector<Rule> rules;
};

// All problems of a file at once, each with its line.
Result<std::vector<RuleGroup>> read_rule_file(std::string_view yaml, const std::string& file);

}  // namespace binnacle::watch::rules
