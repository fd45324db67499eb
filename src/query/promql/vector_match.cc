#include "query/promql/vector_match.h"

#include <algorithm>

#include <fmt/format.h>

#include "query/promql/binary.h"
#include "query/promql/column.h"
#include "query/promql/held_rows.h"
#include "query/promql/set_operators.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

bool any_both(std::span<const double> a, std::span<const double> b) {
  uint64_t any = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    any |= static_cast<uint64_t>(!is_absent(a[i]) && !is_absent(b[i]));
  }
  return any != 0;
}

}  // namespace

VectorMatch::VectorMatch(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs,
                         EvalContext& context)
    : expr_(expr),
      matching_(*expr.matching),
      swapped_(matching_.card == Cardinality::kOneToMany),
      filters_(is_comparison(expr.op) && !expr.return_bool),
      takes_name_(std::ranges::find(matching_.include, model::kMetricName) !=
                  matching_.include.end()),
      compared_(expr.return_bool ? Compared::kBool : Compared::kLhs),
      steps_(context.steps.count()),
      meter_(context.meter),
      memory_(context.meter),
      many_(std::move(swapped_ ? rhs : lhs)),
      one_(std::move(swapped_ ? lhs : rhs)),
      signature_(matching_.labels, matching_.on),
      index_(memory_),
      duplicate_(steps_),
      labels_(expr.op, matching_),
      output_(memory_, steps_, filters_ && matching_.card != Cardinality::kOneToOne),
      result_(steps_) {}

Result<bool> VectorMatch::next(Row& out) {
  if (one_ != nullptr) TRY(compute());
  return output_.next(out);
}

Status VectorMatch::compute() {
  TRY(read_one_side());
  TRY(read_many_side());
  if (matching_.fill_lhs) TRY(fill_many_side());
  output_.merge_same_labels();
  if (output_.error_step() == kNoStep) return {};
  switch (output_.error()) {
    case MatchError::kDuplicateSeries:
      return fail(Code::kOutOfRange, duplicate_message(output_.error_step()));
    case MatchError::kManyMatches:
      return fail(Code::kOutOfRange,
                  "multiple matches for labels: many-to-one matching must be explicit "
                  "(group_left/group_right)");
    case MatchError::kUngroupedMatches:
      return fail(Code::kOutOfRange,
                  "multiple matches for labels: grouping labels must ensure unique matches");
    case MatchError::kSameLabels:
      return same_labels();
  }
  return {};
}

Status VectorMatch::read_one_side() {
  Row row;
  for (;;) {
    TRY(look_up());
    TRY_ASSIGN(const bool more, one_->next(row));
    if (!more) break;
    if (first_present(row.values) != kNoStep) TRY(add_one(row));
  }
  one_.reset();
  // Where sides are filled, a step is evaluated as soon as either side has a row.
  if (any_duplicate_ && (matching_.fill_lhs || matching_.fill_rhs)) {
    const auto at = std::ranges::find(duplicate_, 1) - duplicate_.begin();
    output_.note_error(MatchError::kDuplicateSeries, static_cast<size_t>(at));
  }
  return {};
}

Result<uint32_t> VectorMatch::signature_of(model::LabelsView labels) {
  TRY_ASSIGN(const auto place, index_.find_or_add(signature_.of(labels)));
  if (place.added) {
    TRY(memory_.charge(sizeof(Signature)));
    Signature& added = signatures_.emplace_back();
    TRY_ASSIGN(added.present, memory_.flags(steps_));
    TRY_ASSIGN(added.matched, memory_.flags(steps_));
  }
  return place.ordinal;
}

Status VectorMatch::add_one(const Row& row) {
  TRY_ASSIGN(const uint32_t at, signature_of(row.labels));
  TRY(memory_.charge(sizeof(OneRow)));
  TRY_ASSIGN(const auto labels, memory_.text(row.labels.packed()));
  TRY_ASSIGN(const auto values, memory_.copy(row.values));
  Signature& signature = signatures_[at];
  for (size_t i = 0; i < steps_; ++i) {
    if (is_absent(values[i])) continue;
    if (signature.present[i] != 0) {
      duplicate_[i] = 1;
      any_duplicate_ = true;
    }
    signature.present[i] = 1;
  }
  const auto number = static_cast<uint32_t>(ones_.size());
  ones_.push_back({model::LabelsView(labels), values, at, SignatureIndex::kNone, row.drop_name});
  if (signature.last == SignatureIndex::kNone) {
    signature.first = number;
  } else {
    ones_[signature.last].next = number;
  }
  signature.last = number;
  return {};
}

Status VectorMatch::read_many_side() {
  Row row;
  for (;;) {
    TRY(look_up());
    TRY_ASSIGN(const bool more, many_->next(row));
    if (!more) break;
    if (first_present(row.values) == kNoStep) continue;
    if (any_duplicate_) note_duplicates(row.values);
    if (output_.error_step() != 0) TRY(add_many(row));  // no error can come before step 0
  }
  many_.reset();
  return {};
}

// Duplicates matter at a step at which the other side has a row, whatever its labels.
void VectorMatch::note_duplicates(std::span<const double> many) {
  for (size_t i = 0; i < steps_; ++i) {
    if (duplicate_[i] != 0 && !is_absent(many[i])) {
      output_.note_error(MatchError::kDuplicateSeries, i);
      return;
    }
  }
}

Status VectorMatch::add_many(const Row& row) {
  uint32_t at = 0;
  if (matching_.fill_rhs) {
    TRY_ASSIGN(at, signature_of(row.labels));
  } else {
    at = index_.find(signature_.of(row.labels));
    if (at == SignatureIndex::kNone) return {};
  }
  note_matches(signatures_[at], row.values);
  for (uint32_t one = signatures_[at].first; one != SignatureIndex::kNone; one = ones_[one].next) {
    TRY(look_up());
    TRY(combine(row, {ones_[one].labels, ones_[one].drop_name, ones_[one].values}, at));
  }
  if (!matching_.fill_rhs) return {};
  const std::span<const uint8_t> present = signatures_[at].present;
  fill_.resize(steps_);
  for (size_t i = 0; i < steps_; ++i) {
    fill_[i] = present[i] != 0 ? absent_value() : *matching_.fill_rhs;
  }
  return combine(row, {model::LabelsView(index_.bytes(at)), false, fill_}, at);
}

void VectorMatch::note_matches(Signature& signature, std::span<const double> many) {
  const bool once = matching_.card == Cardinality::kOneToOne;
  const bool filled = matching_.fill_rhs.has_value();
  for (size_t i = 0; i < steps_; ++i) {
    if (is_absent(many[i]) || (signature.present[i] == 0 && !filled)) continue;
    if (once && signature.matched[i] != 0) output_.note_error(MatchError::kManyMatches, i);
    signature.matched[i] = 1;
  }
}

// Rows of the one side that met nothing meet the fill value, under the labels that are matched.
Status VectorMatch::fill_many_side() {
  fill_.resize(steps_);
  for (const OneRow& one : ones_) {
    TRY(look_up());
    const std::span<const uint8_t> matched = signatures_[one.signature].matched;
    for (size_t i = 0; i < steps_; ++i) {
      fill_[i] = matched[i] != 0 ? absent_value() : *matching_.fill_lhs;
    }
    TRY(combine({model::LabelsView(index_.bytes(one.signature)), false, fill_},
                {one.labels, one.drop_name, one.values}, one.signature));
  }
  return {};
}

Status VectorMatch::combine(const Row& many, const Row& one, uint32_t signature) {
  if (!any_both(many.values, one.values)) return {};
  const auto lhs = swapped_ ? one.values : many.values;
  const auto rhs = swapped_ ? many.values : one.values;
  binary_columns(expr_.op, compared_, lhs, rhs, result_);
  // A filter keeps the name, but not one that is to go: rate(a[1m]) > rate(b[1m]) has none.
  const bool keeps_dropped = takes_name_ ? one.drop_name : filters_ && many.drop_name;
  return output_.add(labels_.of(many.labels, one.labels), expr_.return_bool || keeps_dropped,
                     signature, result_, lhs, rhs);
}

std::string VectorMatch::duplicate_message(size_t step) const {
  std::vector<uint32_t> seen(signatures_.size(), SignatureIndex::kNone);
  for (uint32_t i = 0; i < ones_.size(); ++i) {
    const OneRow& one = ones_[i];
    if (is_absent(one.values[step])) continue;
    if (seen[one.signature] == SignatureIndex::kNone) {
      seen[one.signature] = i;
      continue;
    }
    std::string first = labels_text(ones_[seen[one.signature]].labels);
    std::string second = labels_text(one.labels);
    if (first > second) std::swap(first, second);
    return fmt::format(
        "found duplicate series for the match group {} on the {} hand-side of the operation: [{}, "
        "{}];many-to-many matching not allowed: matching labels must be unique on one side",
        labels_text(model::LabelsView(index_.bytes(one.signature))), swapped_ ? "left" : "right",
        first, second);
  }
  return {};
}

Result<RowSourcePtr> vector_vector(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs,
                                   EvalContext& context) {
  if (is_set_operator(expr.op)) {
    return set_operator(expr, std::move(lhs), std::move(rhs), context);
  }
  return std::make_unique<VectorMatch>(expr, std::move(lhs), std::move(rhs), context);
}

}  // namespace binnacle::query::promql
