// The rows that a join gives, merged by labels, and the first error that it meets. Prometheus
// evaluates one step after another, so of several errors the one at the earliest step counts. One
// join's; not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "query/promql/column.h"
#include "query/promql/held_memory.h"
#include "query/promql/label_signature.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

enum class MatchError : uint8_t { kDuplicateSeries, kManyMatches, kUngroupedMatches, kSameLabels };

class MatchOutput {
 public:
  // `keep_matches`: the join filters, and still must know what was matched.
  MatchOutput(HeldMemory& memory, size_t steps, bool keep_matches)
      : memory_(memory), steps_(steps), keep_matches_(keep_matches), index_(memory) {}

  // `values` are the result, absent where filtered; `lhs` and `rhs`, where both are there, what it
  // comes from.
  Status add(std::string_view packed_labels, bool drop_name, uint32_t signature,
             std::span<const double> values, std::span<const double> lhs,
             std::span<const double> rhs);
  // After the last row. Rows of one step may keep the same labels, as in Prometheus.
  void merge_same_labels();
  bool next(Row& out);

  // Of two at one step the first counts: a join notes duplicates before it matches.
  void note_error(MatchError error, size_t step) {
    if (step < error_step_) {
      error_ = error;
      error_step_ = step;
    }
  }
  size_t error_step() const { return error_step_; }  // kNoStep: none
  MatchError error() const { return error_; }

 private:
  struct Out {
    std::span<double> values;    // empty: nothing was kept yet
    std::span<uint8_t> matched;  // with keep_matches_
    uint32_t labels = 0;         // in index_
    uint32_t signature = 0;
    uint32_t next = SignatureIndex::kNone;  // of the same labels, another signature
    bool drop_name = false;
  };
  Result<uint32_t> find_or_add(std::string_view packed_labels, uint32_t signature);
  bool is_matched(const Out& out, size_t step) const {
    if (keep_matches_) return out.matched[step] != 0;
    return !out.values.empty() && !is_absent(out.values[step]);
  }

  HeldMemory& memory_;
  const size_t steps_;
  const bool keep_matches_;
  SignatureIndex index_;         // by labels
  std::vector<uint32_t> first_;  // in rows_, of each label set
  std::vector<Out> rows_;
  bool same_labels_ = false;
  MatchError error_ = MatchError::kSameLabels;
  size_t error_step_ = kNoStep;
  size_t next_ = 0;
};

}  // namespace binnacle::query::promql
