#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {

TextExpander::TextExpander(const NotificationTemplates& templates, const Notification& notification)
    : templates_(*templates.set), data_(templates.data(notification)) {}

std::string TextExpander::text(std::string_view name, std::string_view source) {
  return expand(name, source, TemplateEscape::kNone);
}

std::string TextExpander::html(std::string_view name, std::string_view source) {
  return expand(name, source, TemplateEscape::kHtml);
}

std::string TextExpander::expand(std::string_view name, std::string_view source,
                                 TemplateEscape escape) {
  if (!status_) return {};
  if (source.find("{{") == std::string_view::npos) return std::string(source);
  auto out = templates_.expand(name, source, data_, escape);
  if (out) return std::move(*out);
  status_ = fail(std::move(out).error());
  return {};
}

std::string context_lines(const Notification& notification) {
  std::string out;
  for (const auto& [name, value] : notification.context) {
    if (!out.empty()) out += '\n';
    out += name + ": " + value;
  }
  return out;
}

}  // namespace binnacle::watch::alerts
