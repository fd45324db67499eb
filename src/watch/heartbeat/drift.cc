#include "watch/heartbeat/drift.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace binnacle::watch::heartbeat {
namespace {

constexpr size_t kFewestToCompare = 3;
constexpr std::string_view kOfEachNode = "layers";

using FactOfRole = std::pair<std::string, std::string>;

}  // namespace

std::vector<Drift> find_drift(const std::vector<NodeFacts>& nodes) {
  std::map<FactOfRole, std::map<std::string, size_t>> values;
  for (const NodeFacts& node : nodes) {
    for (const auto& [fact, value] : node.facts) {
      if (fact != kOfEachNode) ++values[{node.role, fact}][value];
    }
  }
  std::map<FactOfRole, Drift> majorities;
  for (const auto& [key, counts] : values) {
    Drift drift;
    for (const auto& [value, count] : counts) {
      drift.of += count;
      if (count <= drift.with_majority) continue;
      drift.with_majority = count;
      drift.majority = value;
    }
    if (drift.of < kFewestToCompare || drift.with_majority * 2 <= drift.of) continue;
    majorities.emplace(key, std::move(drift));
  }
  std::vector<Drift> found;
  for (const NodeFacts& node : nodes) {
    for (const auto& [fact, value] : node.facts) {
      const auto it = majorities.find({node.role, fact});
      if (it == majorities.end() || it->second.majority == value) continue;
      Drift drift = it->second;
      drift.node = node.node;
      drift.fact = fact;
      drift.value = value;
      found.push_back(std::move(drift));
    }
  }
  std::ranges::sort(found, {}, [](const Drift& one) { return std::tie(one.node, one.fact); });
  return found;
}

std::string drift_text(const Drift& drift) {
  return fmt::format("{} is {}, but {} on {} of {} nodes of its role", drift.fact, drift.value,
                     drift.majority, drift.with_majority, drift.of);
}

}  // namespace binnacle::watch::heartbeat
