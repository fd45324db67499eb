// The configuration of a process at its start.
#pragma once

#include <string>

#include "base/config.h"
#include "base/error.h"

namespace binnacle::app {

// kInvalidArgument with one line for each problem. An empty `file` is all defaults.
Result<Config> load_config(const std::string& file, const ConfigSources& sources);

}  // namespace binnacle::app
