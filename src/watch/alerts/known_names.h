// What names another part of the file must name one that is there. Pure.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/nearest_name.h"
#include "base/yaml_reader.h"

namespace binnacle::watch::alerts {

// A problem, with the name that may be meant, when `known`, a map by name, has no `name`.
template <typename Map>
void check_name(const YamlValue& at, std::string_view what, const std::string& name,
                const Map& known) {
  if (known.contains(name)) return;
  std::vector<std::string_view> names;
  for (const auto& [one, unused] : known) names.push_back(one);
  const std::string near = nearest_name(name, names);
  at.problem(fmt::format("no {} has this name", what), name,
             !near.empty()   ? fmt::format("did you mean {}?", near)
             : names.empty() ? "there is none at all"
                             : fmt::format("there are: {}", fmt::join(names, ", ")));
}

}  // namespace binnacle::watch::alerts
