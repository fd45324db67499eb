// A notification as the templates of Alertmanager see it: .Status, .Alerts.Firing, .CommonLabels
// and the like, and our own .Context. Pure; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/template.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

TemplateValue template_data(const Notification& notification);

// Labels by name, with the methods SortedPairs, Names, Values and Remove.
TemplateValue template_key_values(model::LabelsView labels);

// A list of strings of any kind: a list, what Names and Values answer. kInvalidArgument.
Result<std::vector<std::string>> template_strings(std::string_view function,
                                                  const TemplateValue& value);

// JSON as Go's encoding/json writes it. kInvalidArgument: NaN or an infinity.
Result<std::string> template_json(const TemplateValue& value);

}  // namespace binnacle::watch::alerts
