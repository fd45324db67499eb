// The three ways in which alertmanager.yml writes matchers: lists in the text grammar, and the
// older maps of values and of regexes. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/yaml_reader.h"
#include "model/matcher.h"

namespace binnacle::watch::alerts {

// A list of matcher texts.
void read_matcher_list(YamlMap& map, std::string_view name, model::Matchers& out);
// A map of label names to values or to regexes.
void read_matcher_map(YamlMap& map, std::string_view name, model::MatchOp op, model::Matchers& out);

// Names of labels: not empty, each once.
std::vector<std::string> read_label_names(const YamlValue& list);

}  // namespace binnacle::watch::alerts
