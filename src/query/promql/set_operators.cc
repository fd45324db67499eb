#include "query/promql/set_operators.h"

#include <algorithm>

#include "query/promql/column.h"
#include "query/promql/held_rows.h"
#include "query/promql/label_signature.h"

namespace binnacle::query::promql {
namespace {

// For each signature the steps at which a row of one side has a value.
class Presence {
 public:
  Presence(const VectorMatching& matching, EvalContext& context)
      : steps_(context.steps.count()),
        memory_(context.meter),
        signature_(matching.labels, matching.on),
        index_(memory_) {}

  Status add(const Row& row) {
    TRY_ASSIGN(const auto place, index_.find_or_add(signature_.of(row.labels)));
    if (place.added) {
      TRY(memory_.charge(sizeof(present_.front())));
      TRY_ASSIGN(const auto flags, memory_.flags(steps_));
      present_.push_back(flags);
    }
    const std::span<uint8_t> flags = present_[place.ordinal];
    for (size_t i = 0; i < steps_; ++i) {
      flags[i] |= static_cast<uint8_t>(!is_absent(row.values[i]));
    }
    return {};
  }

  // Empty: nowhere.
  std::span<const uint8_t> of(model::LabelsView labels) {
    const uint32_t at = index_.find(signature_.of(labels));
    return at == SignatureIndex::kNone ? std::span<const uint8_t>() : present_[at];
  }

 private:
  const size_t steps_;
  HeldMemory memory_;
  LabelSignature signature_;
  SignatureIndex index_;
  std::vector<std::span<uint8_t>> present_;
};

// `row` with its values where the flags are `wanted`; no flags are all 0. False: none is left.
bool keep_where(std::span<const uint8_t> flags, bool wanted, Row& row,
                std::vector<double>& values) {
  if (flags.empty()) return !wanted && first_present(row.values) != kNoStep;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = (flags[i] != 0) == wanted ? row.values[i] : absent_value();
  }
  row.values = values;
  return first_present(values) != kNoStep;
}

// and, unless: the right side is read first, the left one streams through.
class Filter final : public RowSource {
 public:
  Filter(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs, EvalContext& context)
      : wanted_(expr.op == BinaryOp::kAnd),
        meter_(context.meter),
        lhs_(std::move(lhs)),
        rhs_(std::move(rhs)),
        presence_(*expr.matching, context),
        values_(context.steps.count()) {}

  Result<bool> next(Row& out) override {
    if (rhs_ != nullptr) TRY(read_rhs());
    for (;;) {
      TRY_ASSIGN(const bool more, lhs_->next(out));
      if (!more) return false;
      TRY(meter_.work(out.values.size()));
      if (keep_where(presence_.of(out.labels), wanted_, out, values_)) return true;
    }
  }

 private:
  Status read_rhs() {
    Row row;
    for (;;) {
      TRY_ASSIGN(const bool more, rhs_->next(row));
      if (!more) break;
      TRY(meter_.work(row.values.size()));
      TRY(presence_.add(row));
    }
    rhs_.reset();
    return {};
  }

  const bool wanted_;  // unless: rows that have no match
  QueryMeter& meter_;
  RowSourcePtr lhs_;
  RowSourcePtr rhs_;  // null once read
  Presence presence_;
  std::vector<double> values_;
};

// or: a row of the right side shows where the left one has no match. Two sides may have the same
// labels at different steps: then they are one row, so that over several steps the left side is
// held until the right one has gone by.
class Or final : public RowSource {
 public:
  Or(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs, EvalContext& context)
      : meter_(context.meter),
        memory_(context.meter),
        lhs_(std::move(lhs)),
        rhs_(std::move(rhs)),
        presence_(*expr.matching, context),
        held_index_(memory_),
        values_(context.steps.count()) {}

  Result<bool> next(Row& out) override {
    if (lhs_ != nullptr) {
      TRY_ASSIGN(const bool more, next_of_lhs(out));
      if (more) return true;
      lhs_.reset();
    }
    if (rhs_ != nullptr) {
      TRY_ASSIGN(const bool more, next_of_rhs(out));
      if (more) return true;
      rhs_.reset();
    }
    if (next_held_ == held_.size()) return false;
    const Held& held = held_[next_held_];
    out = {model::LabelsView(held_index_.bytes(next_held_)), held.drop_name, held.values};
    ++next_held_;
    return true;
  }

 private:
  struct Held {
    bool drop_name = false;
    size_t first = kNoStep;
    std::span<double> values;
  };

  // Gives rows of a single step, holds those of several.
  Result<bool> next_of_lhs(Row& out) {
    for (;;) {
      TRY_ASSIGN(const bool more, lhs_->next(out));
      if (!more) return false;
      TRY(meter_.work(out.values.size()));
      if (first_present(out.values) == kNoStep) continue;
      TRY(presence_.add(out));
      if (values_.size() == 1) return true;
      TRY(hold(out));
    }
  }

  Status hold(const Row& row) {
    TRY_ASSIGN(const auto place, held_index_.find_or_add(row.labels.packed()));
    if (!place.added) return merge(row, held_[place.ordinal]);
    TRY(memory_.charge(sizeof(Held)));
    TRY_ASSIGN(const auto values, memory_.copy(row.values));
    held_.push_back({row.drop_name, first_present(values), values});
    return {};
  }

  Result<bool> next_of_rhs(Row& out) {
    for (;;) {
      TRY_ASSIGN(const bool more, rhs_->next(out));
      if (!more) return false;
      TRY(meter_.work(out.values.size()));
      if (!keep_where(presence_.of(out.labels), false, out, values_)) continue;
      const uint32_t same = held_index_.find(out.labels.packed());
      if (same == SignatureIndex::kNone) return true;
      TRY(merge(out, held_[same]));
    }
  }

  // The name goes as it would of the one that comes first in time.
  static Status merge(const Row& row, Held& held) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (is_absent(row.values[i])) continue;
      if (!is_absent(held.values[i])) return same_labels();
      held.values[i] = row.values[i];
      if (i < held.first) {
        held.first = i;
        held.drop_name = row.drop_name;
      }
    }
    return {};
  }

  QueryMeter& meter_;
  HeldMemory memory_;
  RowSourcePtr lhs_;  // null once read
  RowSourcePtr rhs_;
  Presence presence_;          // of lhs
  SignatureIndex held_index_;  // by all labels
  std::vector<Held> held_;
  std::vector<double> values_;
  uint32_t next_held_ = 0;
};

}  // namespace

RowSourcePtr set_operator(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs,
                          EvalContext& context) {
  if (expr.op == BinaryOp::kOr) {
    return std::make_unique<Or>(expr, std::move(lhs), std::move(rhs), context);
  }
  return std::make_unique<Filter>(expr, std::move(lhs), std::move(rhs), context);
}

}  // namespace binnacle::query::promql
