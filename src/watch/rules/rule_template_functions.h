// The functions of Prometheus' templates. Pure but for the run's query.
#pragma once

#include "base/template.h"
#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {

// Those that need nothing of a run.
TemplateFunctions rule_template_functions();
// query, now, externalURL, pathPrefix. `run` outlives them.
TemplateFunctions rule_run_functions(const TemplateRun& run);

TemplateValue template_labels(model::LabelsView labels);

}  // namespace binnacle::watch::rules
