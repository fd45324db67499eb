// The templates that receivers use where the configuration gives none, by Alertmanager's names.
#pragma once

#include <string_view>

namespace binnacle::watch::alerts {

std::string_view default_templates();

}  // namespace binnacle::watch::alerts
