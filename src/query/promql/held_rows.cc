#include "query/promql/held_rows.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kAllocation = 16;  // what one costs beside its bytes

class NoRows final : public RowSource {
 public:
  explicit NoRows(RowSourcePtr rows) : rows_(std::move(rows)) {}
  Result<bool> next(Row&) override {
    Row row;
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(row));
      if (!more) return false;
    }
  }

 private:
  RowSourcePtr rows_;
};

}  // namespace

Status HeldBytes::add(size_t bytes) {
  bytes_ += bytes;
  return meter_.charge_bytes(bytes);
}

size_t bytes_of(const Row& row) {
  return sizeof(OwnedRow) + 2 * kAllocation + row.labels.packed().size() + row.values.size_bytes();
}

size_t bytes_of_key(model::LabelsView labels) {
  return sizeof(IndexByLabels::value_type) + 2 * kAllocation + labels.packed().size();
}

Unexpected same_labels() {
  return fail(Code::kOutOfRange, "vector cannot contain metrics with the same labelset");
}

Status merge_values(std::span<const double> values, std::span<double> into) {
  for (size_t i = 0; i < into.size(); ++i) {
    if (is_absent(values[i])) continue;
    if (!is_absent(into[i])) return same_labels();
    into[i] = values[i];
  }
  return {};
}

Status RowsByLabels::add(OwnedRow row) {
  const auto [at, is_new] =
      index_.try_emplace(row.labels.packed(), static_cast<uint32_t>(rows_.size()));
  if (is_new) {
    rows_.push_back(std::move(row));
    return {};
  }
  return merge_values(row.values, rows_[at->second].values);
}

Result<bool> MadeRows::next(Row& out) {
  if (!made_) {
    TRY_ASSIGN(rows_, make());
    made_ = true;
  }
  if (at_ == rows_.size()) return false;
  out = rows_[at_++].row();
  return true;
}

Result<std::vector<OwnedRow>> hold_rows(RowSource& rows, HeldBytes& held) {
  std::vector<OwnedRow> out;
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, rows.next(row));
    if (!more) return out;
    TRY(held.add(bytes_of(row)));
    out.push_back(owned(row));
  }
}

RowSourcePtr no_rows(RowSourcePtr rows) { return std::make_unique<NoRows>(std::move(rows)); }

}  // namespace binnacle::query::promql
