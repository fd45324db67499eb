#include "watch/rules/rule_templates.h"

#include <fmt/format.h>

#include "base/template.h"
#include "watch/rules/rule_template_functions.h"

namespace binnacle::watch::rules {
namespace {

const TemplateSet& templates() {
  static const TemplateSet set = [] {
    TemplateSet out(rule_template_functions());
    out.set_preamble(
        "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
        "{{$externalURL := .ExternalURL}}{{$value := .Value}}");
    return out;
  }();
  return set;
}

constexpr std::string_view kRunFunctions[] = {"query", "now", "externalURL", "pathPrefix"};

}  // namespace

Status check_rule_template(std::string_view name, std::string_view text) {
  return templates().check(name, text, kRunFunctions);
}

Result<std::string> expand_rule_template(const TemplateRun& run) {
  // Most labels and annotations are plain text.
  if (run.text.find("{{") == std::string_view::npos) return std::string(run.text);
  const TemplateValue data =
      template_record({{"Labels", template_labels(run.labels)},
                       {"ExternalLabels", template_labels(run.external_labels)},
                       {"ExternalURL", run.external_url},
                       {"Value", run.value}});
  return templates().expand(fmt::format("__alert_{}", run.rule), run.text, data,
                            TemplateEscape::kNone, rule_run_functions(run));
}

}  // namespace binnacle::watch::rules
