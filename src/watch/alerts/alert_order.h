// The order of alerts within a notification: by job, by instance, then as Alertmanager orders label
// sets. Pure.
#pragma once

#include "model/labels.h"

namespace binnacle::watch::alerts {

// Fewer labels first; then by the first label in order of name that differs, where one that has it
// comes after one that has not.
bool set_before(model::LabelsView a, model::LabelsView b);

bool told_before(model::LabelsView a, model::LabelsView b);

}  // namespace binnacle::watch::alerts
