// Which group a row belongs to, and what is known of each group beside its values. One
// aggregation's; not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "query/promql/ast.h"
#include "query/promql/column.h"
#include "query/promql/held_memory.h"
#include "query/promql/label_signature.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

class AggregateGroups {
 public:
  AggregateGroups(const Grouping& grouping, HeldMemory& memory);  // `memory` outlives this

  // The row's group, counted from 0 in the order they come.
  Result<uint32_t> of(const Row& row);

  size_t size() const { return index_.size(); }
  model::LabelsView labels(uint32_t group) const { return model::LabelsView(index_.bytes(group)); }
  // A group drops its name when a row did that was there at the group's last step.
  bool drop_name(uint32_t group) const { return ends_[group].drop_name; }
  bool empty(uint32_t group) const { return ends_[group].step == kNoStep; }

 private:
  struct End {
    size_t step = kNoStep;  // the last at which a row of the group has a value
    bool drop_name = false;
  };

  LabelSignature signature_;
  SignatureIndex index_;
  std::vector<End> ends_;
};

}  // namespace binnacle::query::promql
