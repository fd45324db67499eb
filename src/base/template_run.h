// Runs a parsed template on data. One run, one thread; what it reads outlives it.
#pragma once

#include "base/template.h"
#include "base/template_ast.h"

namespace binnacle {

struct TemplateRun {
  // Looked through in this order.
  const TemplateDefinitions& own;
  const TemplateDefinitions& shared;
  const TemplateFunctions& more;
  const TemplateFunctions& functions;
  TemplateEscape escape = TemplateEscape::kNone;
  TemplateLimits limits;
};

// kResourceExhausted: one of the limits.
Result<std::string> run_template(const TemplateRun& run, const TemplateDefinition& root,
                                 const TemplateValue& data);

}  // namespace binnacle
