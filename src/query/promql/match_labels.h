// The labels of what two matched rows give. One join's; not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"
#include "query/promql/ast.h"

namespace binnacle::query::promql {

class MatchLabels {
 public:
  // `matching` outlives this.
  MatchLabels(BinaryOp op, const VectorMatching& matching);

  // Packed; holds until the next call. `many` is the left row of one-to-one.
  std::string_view of(model::LabelsView many, model::LabelsView one);

 private:
  bool stays(std::string_view name) const;

  const VectorMatching& matching_;
  const bool changes_meaning_;        // name, type and unit go
  std::vector<std::string> include_;  // sorted, each once
  std::vector<std::string> named_;    // by on or ignoring, sorted
  std::string packed_;
};

}  // namespace binnacle::query::promql
