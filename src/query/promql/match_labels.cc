#include "query/promql/match_labels.h"

#include <algorithm>

#include "query/promql/packed_walk.h"

namespace binnacle::query::promql {

MatchLabels::MatchLabels(BinaryOp op, const VectorMatching& matching)
    : matching_(matching),
      changes_meaning_(!is_comparison(op)),
      include_(matching.include),
      named_(matching.labels) {
  std::ranges::sort(named_);
  std::ranges::sort(include_);
  include_.erase(std::ranges::unique(include_).begin(), include_.end());
}

bool MatchLabels::stays(std::string_view name) const {
  if (changes_meaning_ &&
      (name == model::kMetricName || name == "__type__" || name == "__unit__")) {
    return false;
  }
  if (matching_.card != Cardinality::kOneToOne) return true;
  const bool named = std::ranges::binary_search(named_, name);
  return named == matching_.on;
}

// Both the labels and the included names are sorted: one walk over the two.
std::string_view MatchLabels::of(model::LabelsView many, model::LabelsView one) {
  packed_.clear();
  auto included = include_.begin();
  const auto add_included = [&] {
    const std::string_view value = one.get(*included);
    if (!value.empty()) model::append_packed_label(packed_, *included, value);
    ++included;
  };
  PackedWalk walk(many);
  while (walk.next()) {
    const std::string_view name = walk.name();
    while (included != include_.end() && *included < name) add_included();
    if (included != include_.end() && *included == name) {
      add_included();
    } else if (stays(name)) {
      packed_.append(walk.bytes());
    }
  }
  while (included != include_.end()) add_included();
  return packed_;
}

}  // namespace binnacle::query::promql
