// From the section `slo` of a checked configuration to the objectives that watch/rules knows.
#pragma once

#include <vector>

#include "base/config.h"
#include "watch/rules/objectives.h"

namespace binnacle::app {

std::vector<watch::rules::Objective> configured_objectives(const Config& config);

}  // namespace binnacle::app
