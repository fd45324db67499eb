// What flows between the operators of an evaluation: one series at a time, all steps at once. A
// RowSource is pulled by one thread. Native histograms have no place here yet: they would be a
// second column of a Row.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {

struct Row {
  model::LabelsView labels;
  // The name is to go from the answer; until then it stays, so that label_replace and the like can
  // still see it (delayed name removal). Operators that compare or group labels without naming
  // __name__ see it no more.
  bool drop_name = false;
  std::span<const double> values;  // one for each step; absent_value() where there is none
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  // False at the end. What `out` views holds until the next call. A row may be absent at every
  // step; whoever shows rows leaves such out.
  virtual Result<bool> next(Row& out) = 0;
};
using RowSourcePtr = std::unique_ptr<RowSource>;

// A row that owns what it shows.
struct OwnedRow {
  model::Labels labels;
  bool drop_name = false;
  std::vector<double> values;
  Row row() const { return {labels.view(), drop_name, values}; }
};
inline OwnedRow owned(const Row& row) {
  return {model::Labels(row.labels), row.drop_name, {row.values.begin(), row.values.end()}};
}

// Rows that are there already, in their order.
class OwnedRows final : public RowSource {
 public:
  explicit OwnedRows(std::vector<OwnedRow> rows) : rows_(std::move(rows)) {}
  Result<bool> next(Row& out) override {
    if (at_ == rows_.size()) return false;
    out = rows_[at_++].row();
    return true;
  }

 private:
  std::vector<OwnedRow> rows_;
  size_t at_ = 0;
};

}  // namespace binnacle::query::promql
