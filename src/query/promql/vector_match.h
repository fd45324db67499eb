// Arithmetic and comparisons between two vectors whose rows are matched by labels. The "one" side
// (the right one, but for group_right) is held by signature; each row of the other, the "many"
// side, is combined with its match at once, over all steps. What comes out is held, since rows that
// end up with the same labels at different steps are one row.
#pragma once

#include <optional>
#include <vector>

#include "query/promql/ast.h"
#include "query/promql/binary_kernel.h"
#include "query/promql/held_memory.h"
#include "query/promql/label_signature.h"
#include "query/promql/match_labels.h"
#include "query/promql/match_output.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql {

class VectorMatch final : public RowSource {
 public:
  VectorMatch(const BinaryExpr& expr, RowSourcePtr lhs, RowSourcePtr rhs, EvalContext& context);

  // Everything is computed at the first call.
  Result<bool> next(Row& out) override;

 private:
  struct OneRow {
    model::LabelsView labels;
    std::span<const double> values;
    uint32_t signature = 0;
    uint32_t next = SignatureIndex::kNone;  // of the same signature
    bool drop_name = false;
  };
  struct Signature {
    uint32_t first = SignatureIndex::kNone;  // in ones_, at different steps unless duplicate
    uint32_t last = SignatureIndex::kNone;
    std::span<uint8_t> present;  // steps at which a row of the one side is there
    std::span<uint8_t> matched;  // and those at which it met one of the many side
  };

  // What finding a match and joining the labels costs, in steps computed.
  static constexpr size_t kStepsOfPair = 64;

  Status compute();
  Status read_one_side();
  Status add_one(const Row& row);
  Status read_many_side();
  Status add_many(const Row& row);
  Status fill_many_side();
  Result<uint32_t> signature_of(model::LabelsView labels);
  void note_duplicates(std::span<const double> many);
  void note_matches(Signature& signature, std::span<const double> many);
  // `many` against `one` where both are there.
  Status combine(const Row& many, const Row& one, uint32_t signature);
  std::string duplicate_message(size_t step) const;
  Status look_up() { return meter_.work(steps_ + kStepsOfPair); }

  // Fixed after construction.
  const BinaryExpr& expr_;
  const VectorMatching& matching_;
  const bool swapped_;     // the left side is the "one" side
  const bool filters_;     // a comparison without bool
  const bool takes_name_;  // from the "one" side
  const Compared compared_;
  const size_t steps_;
  QueryMeter& meter_;

  HeldMemory memory_;
  RowSourcePtr many_;
  RowSourcePtr one_;  // null once computed
  LabelSignature signature_;
  SignatureIndex index_;
  std::vector<Signature> signatures_;
  std::vector<OneRow> ones_;
  std::vector<uint8_t> duplicate_;  // steps at which the one side is not unique
  bool any_duplicate_ = false;
  MatchLabels labels_;
  MatchOutput output_;
  std::vector<double> fill_;
  std::vector<double> result_;
};

}  // namespace binnacle::query::promql
