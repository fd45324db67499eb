// Rows that an operator has to hold, as it must see all of them before it can give the first: they
// are copied, charged to the query's meter while they are held, and put together by labels. One
// thread's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

// Gives back at its end what was charged through it.
class HeldBytes {
 public:
  explicit HeldBytes(QueryMeter& meter) : meter_(meter) {}
  ~HeldBytes() { meter_.release_bytes(bytes_); }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  Status add(size_t bytes);

 private:
  QueryMeter& meter_;
  size_t bytes_ = 0;
};

size_t bytes_of(const Row& row);

size_t bytes_of_key(model::LabelsView labels);  // as a key of IndexByLabels

// Finds an index by packed labels without making a string.
struct PackedLabelsHash {
  using is_transparent = void;
  size_t operator()(std::string_view packed) const { return model::LabelsView(packed).hash(); }
};
using IndexByLabels = std::unordered_map<std::string, uint32_t, PackedLabelsHash, std::equal_to<>>;

// kOutOfRange: two rows of the same labels have a value at the same step.
Unexpected same_labels();
// Puts the values of a row where one of the same labels has none; same_labels() where both have
// one.
Status merge_values(std::span<const double> values, std::span<double> into);

// Rows of which no two have the same labels: a row that finds its labels taken is added to the one
// that has them, where that one has no values.
class RowsByLabels {
 public:
  // kOutOfRange where both rows have a value at a step. The caller charges bytes_of() the row and
  // bytes_of_key() its labels.
  Status add(OwnedRow row);
  std::vector<OwnedRow> take() { return std::move(rows_); }

 private:
  std::vector<OwnedRow> rows_;  // by first appearance
  IndexByLabels index_;
};

// Makes all its rows at the first next().
class MadeRows : public RowSource {
 public:
  Result<bool> next(Row& out) final;

 protected:
  virtual Result<std::vector<OwnedRow>> make() = 0;

 private:
  std::vector<OwnedRow> rows_;
  size_t at_ = 0;
  bool made_ = false;
};

// Reads all of `rows`, and charges them.
Result<std::vector<OwnedRow>> hold_rows(RowSource& rows, HeldBytes& held);
// Reads all of `rows`, for the errors and annotations that reading them gives, and gives none.
RowSourcePtr no_rows(RowSourcePtr rows);

}  // namespace binnacle::query::promql
