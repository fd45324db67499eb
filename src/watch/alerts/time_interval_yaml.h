// Time intervals as alertmanager.yml writes them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/yaml_reader.h"
#include "watch/alerts/time_interval.h"

namespace binnacle::watch::alerts {

// A list of intervals; what is wrong becomes a problem of the document.
std::vector<TimeInterval> read_time_intervals(const YamlValue& list);

using NamedIntervals = std::map<std::string, std::vector<TimeInterval>, std::less<>>;

// `time_intervals` or `mute_time_intervals` at the top of the file: entries with a name, which is
// not yet in `out`.
void read_named_intervals(const YamlValue& list, NamedIntervals& out);

}  // namespace binnacle::watch::alerts
