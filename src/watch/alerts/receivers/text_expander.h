// Expands the templates of one notification. The first error sticks: what follows is "" and
// status() tells it, so that a message's many fields need one look at the end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/template.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

// Immutable; shared with work on the pool.
struct NotificationTemplates {
  std::shared_ptr<const TemplateSet> set;  // the defaults and the configured files
  // What a notification is to them. Any thread.
  std::function<TemplateValue(const Notification&)> data;
};

class TextExpander {
 public:
  // `templates` outlive it.
  TextExpander(const NotificationTemplates& templates, const Notification& notification);

  // `name` stands in errors: "slack title".
  std::string text(std::string_view name, std::string_view source);
  std::string html(std::string_view name, std::string_view source);  // values escaped
  const Status& status() const { return status_; }

 private:
  std::string expand(std::string_view name, std::string_view source, TemplateEscape escape);

  const TemplateSet& templates_;
  const TemplateValue data_;
  Status status_;
};

// The notification's context as lines "name: value"; "" when there is none.
std::string context_lines(const Notification& notification);

}  // namespace binnacle::watch::alerts
