#include <algorithm>

#include "query/promql/held_rows.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {
namespace {

// A label that is asked for twice, or in another way than by equality too, is not told.
model::Labels labels_asked_for(const Expr& argument) {
  const Expr& expr = without_parens(argument);
  const auto* selector = as<VectorSelector>(expr);
  if (const auto* range = as<MatrixSelector>(expr)) selector = range->selector.get();
  if (selector == nullptr) return {};
  model::LabelsBuilder labels;
  std::vector<std::string_view> seen;
  for (const model::Matcher& matcher : selector->matchers) {
    if (matcher.name() == model::kMetricName) continue;
    const bool again = std::ranges::find(seen, matcher.name()) != seen.end();
    if (matcher.op() == model::MatchOp::kEqual && !again) {
      labels.set(matcher.name(), matcher.value());
      seen.push_back(matcher.name());
    } else {
      labels.remove(matcher.name());
    }
  }
  return labels.build();
}

class Absent final : public RowSource {
 public:
  Absent(const Expr& argument, RowSourcePtr rows, EvalContext& context)
      : argument_(argument), rows_(std::move(rows)), steps_(context.steps.count()) {}

  Result<bool> next(Row& out) override {
    if (rows_ == nullptr) return false;
    answer_ = {labels_asked_for(argument_), false, std::vector<double>(steps_, 1.0)};
    Row row;
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(row));
      if (!more) break;
      for (size_t i = 0; i < steps_; ++i) {
        if (!is_absent(row.values[i])) answer_.values[i] = absent_value();
      }
    }
    rows_.reset();
    out = answer_.row();
    return true;
  }

 private:
  const Expr& argument_;
  RowSourcePtr rows_;  // null: answered
  const size_t steps_;
  OwnedRow answer_;
};

}  // namespace

RowSourcePtr absent(const Expr& argument, RowSourcePtr rows, EvalContext& context) {
  return std::make_unique<Absent>(argument, std::move(rows), context);
}

}  // namespace binnacle::query::promql
