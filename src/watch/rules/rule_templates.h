// Labels and annotations of alerting rules as templates, with Prometheus' functions and the
// variables $labels, $value, $externalLabels and $externalURL. Pure but for the run's query; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {

// Whether a template of the rule `name` parses. kInvalidArgument: "NAME:LINE:COLUMN: ...".
Status check_rule_template(std::string_view name, std::string_view text);

Result<std::string> expand_rule_template(const TemplateRun& run);

}  // namespace binnacle::watch::rules
