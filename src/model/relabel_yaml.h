// Relabelling rules as Prometheus' files have them: `relabel_configs` and its kin. Pure.
#pragma once

#include <vector>

#include "base/yaml_reader.h"
#include "model/relabel.h"

namespace binnacle::model {

// Of a list; bad rules are problems of its document and left out.
std::vector<RelabelRule> read_relabel_rules(const YamlValue& list);

}  // namespace binnacle::model
