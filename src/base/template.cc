#include "base/template.h"

#include "base/template_builtins.h"
#include "base/template_parser.h"
#include "base/template_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle {
namespace {

std::shared_ptr<const TemplateSource> make_source(std::string_view name, std::string_view text,
                                                  std::string_view preamble = {}) {
  return std::make_shared<const TemplateSource>(
      TemplateSource{std::string(name), std::string(preamble).append(text), preamble.size()});
}

bool is_builtin(std::string_view name) {
  return name == "and" || name == "or" || template_builtins().contains(name);
}

}  // namespace

struct TemplateSet::Parsed {
  TemplateFunctions functions;
  TemplateDefinitions definitions;
  std::string preamble;
};

TemplateSet::TemplateSet(TemplateFunctions functions)
    : parsed_(std::make_unique<Parsed>(Parsed{std::move(functions), {}, {}})) {}
TemplateSet::~TemplateSet() = default;
TemplateSet::TemplateSet(TemplateSet&&) noexcept = default;
TemplateSet& TemplateSet::operator=(TemplateSet&&) noexcept = default;

Status TemplateSet::add(std::string_view source_name, std::string_view text) {
  const auto is_function = [&](std::string_view name) {
    return is_builtin(name) || parsed_->functions.contains(name);
  };
  TRY_ASSIGN(const TemplateDefinitions added,
             parse_template(make_source(source_name, text), is_function));
  for (const auto& [name, definition] : added) {
    auto& slot = parsed_->definitions[name];
    if (!slot || !definition->blank()) slot = definition;
  }
  return {};
}

void TemplateSet::set_preamble(std::string text) { parsed_->preamble = std::move(text); }

Result<std::string> TemplateSet::expand(std::string_view source_name, std::string_view text,
                                        const TemplateValue& data, TemplateEscape escape,
                                        const TemplateFunctions& more,
                                        const TemplateLimits& limits) const {
  const auto is_function = [&](std::string_view name) {
    return is_builtin(name) || parsed_->functions.contains(name) || more.contains(name);
  };
  TRY_ASSIGN(const TemplateDefinitions own,
             parse_template(make_source(source_name, text, parsed_->preamble), is_function));
  return run_template({own, parsed_->definitions, more, parsed_->functions, escape, limits},
                      *own.find(source_name)->second, data);
}

Status TemplateSet::check(std::string_view source_name, std::string_view text,
                          std::span<const std::string_view> more) const {
  const auto is_function = [&](std::string_view name) {
    return is_builtin(name) || parsed_->functions.contains(name) ||
           std::find(more.begin(), more.end(), name) != more.end();
  };
  TRY(parse_template(make_source(source_name, text, parsed_->preamble), is_function));
  return {};
}

}  // namespace binnacle
