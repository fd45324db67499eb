// Lists of target groups as files and HTTP servers give them: [{"targets": ["host:port"], "labels":
// {"a": "b"}}], in YAML or JSON. Untrusted bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/yaml_reader.h"
#include "model/target.h"

namespace binnacle::collect::discovery {

// The i-th group's source is `source` and i: "path:0". What is wrong is a problem of the value's
// document.
std::vector<model::TargetGroup> read_target_groups(const YamlValue& list,
                                                   const std::string& source);

// kInvalidArgument, all or nothing: "[3].labels.a: ...".
Result<std::vector<model::TargetGroup>> parse_target_groups(std::string_view json,
                                                            const std::string& source);

// Puts one more label on all targets of each group.
void add_group_label(std::vector<model::TargetGroup>& groups, std::string_view name,
                     std::string_view value);

}  // namespace binnacle::collect::discovery
