// Finds broken templates when a config is loaded, not when the first alert is told. Pure.
#pragma once

#include "base/error.h"
#include "base/template.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

// Whether the texts of all receivers and the labels of all routes parse with the functions that
// `templates` knows. Every problem on a line of its own: "receivers.team.slack[0].title: ...".
Status check_templates(const AlertConfig& config, const TemplateSet& templates);

}  // namespace binnacle::watch::alerts
