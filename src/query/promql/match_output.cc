#include "query/promql/match_output.h"

#include <algorithm>

namespace binnacle::query::promql {

Result<uint32_t> MatchOutput::find_or_add(std::string_view packed_labels, uint32_t signature) {
  TRY_ASSIGN(const auto place, index_.find_or_add(packed_labels));
  const auto added = static_cast<uint32_t>(rows_.size());
  if (place.added) {
    first_.push_back(added);
  } else {
    uint32_t last = first_[place.ordinal];
    for (;; last = rows_[last].next) {
      if (rows_[last].signature == signature) return last;
      if (rows_[last].next == SignatureIndex::kNone) break;
    }
    rows_[last].next = added;
    same_labels_ = true;
  }
  TRY(memory_.charge(sizeof(Out)));
  Out& out = rows_.emplace_back();
  out.labels = place.ordinal;
  out.signature = signature;
  if (keep_matches_) {
    TRY_ASSIGN(out.matched, memory_.flags(steps_));
  }
  return added;
}

Status MatchOutput::add(std::string_view packed_labels, bool drop_name, uint32_t signature,
                        std::span<const double> values, std::span<const double> lhs,
                        std::span<const double> rhs) {
  TRY_ASSIGN(const uint32_t at, find_or_add(packed_labels, signature));
  Out& out = rows_[at];
  out.drop_name |= drop_name;
  const bool keeps = first_present(values) != kNoStep;
  if (out.values.empty() && keeps && !keep_matches_) {
    TRY_ASSIGN(out.values, memory_.copy(values));
    return {};
  }
  if (out.values.empty() && keeps) {
    TRY_ASSIGN(out.values, memory_.column(steps_, absent_value()));
  }
  for (size_t i = 0; i < steps_; ++i) {
    if (is_absent(lhs[i]) || is_absent(rhs[i])) continue;
    if (is_matched(out, i)) note_error(MatchError::kUngroupedMatches, i);
    if (keep_matches_) out.matched[i] = 1;
    if (!is_absent(values[i])) out.values[i] = values[i];
  }
  return {};
}

void MatchOutput::merge_same_labels() {
  if (steps_ == 1 || !same_labels_) return;
  for (const uint32_t first : first_) {
    Out& into = rows_[first];
    for (uint32_t at = into.next; at != SignatureIndex::kNone; at = rows_[at].next) {
      Out& from = rows_[at];
      if (into.values.empty()) std::swap(into.values, from.values);
      if (from.values.empty()) continue;
      into.drop_name |= from.drop_name;
      for (size_t i = 0; i < steps_; ++i) {
        if (is_absent(from.values[i])) continue;
        if (!is_absent(into.values[i])) note_error(MatchError::kSameLabels, i);
        into.values[i] = from.values[i];
      }
      from.values = {};
    }
  }
}

bool MatchOutput::next(Row& out) {
  while (next_ < rows_.size() && rows_[next_].values.empty()) ++next_;
  if (next_ == rows_.size()) return false;
  const Out& row = rows_[next_++];
  out = {model::LabelsView(index_.bytes(row.labels)), row.drop_name, row.values};
  return true;
}

}  // namespace binnacle::query::promql
