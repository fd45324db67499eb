// Where the routing of alerts comes from: the file that `alerts.config_file` names, or what holds
// without one: every alert is kept and shown, and nobody is told. Any thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::app {

// `path` empty: the configuration without a file.
Result<std::shared_ptr<const watch::alerts::AlertConfig>> load_alert_config(const std::string& path,
                                                                            FileSystem& files);

}  // namespace binnacle::app
