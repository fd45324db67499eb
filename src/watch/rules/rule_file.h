// Rule files as Prometheus writes them, checked: groups of recording and alerting rules. Immutable
// once read. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
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
  // Extension `x-clear`: an alert that fires goes on as long as this expression or the rule's own
  // has it.
  std::shared_ptr<const query::promql::Expr> clear;  // null: the rule's own alone
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

// Whether a template of an alerting rule parses; `name` is the rule's.
using TemplateCheck = std::function<Status(std::string_view name, std::string_view text)>;

struct RuleFileOptions {
  bool experimental = false;     // PromQL's experimental functions and modifiers
  TemplateCheck check_template;  // null: templates are not looked at
};

// All problems of a file at once, each with its line.
Result<std::vector<RuleGroup>> read_rule_file(std::string_view yaml, const std::string& file,
                                              const RuleFileOptions& options = {});

// The group's labels and over them the rule's.
TextPairs labels_of(const RuleGroup& group, const Rule& rule);

// Rules with the same name and the same labels, each named once: what Prometheus allows, but what
// mostly is a slip.
std::vector<std::string> duplicate_rules(const std::vector<RuleGroup>& groups);

}  // namespace binnacle::watch::rules
