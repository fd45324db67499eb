#include <cmath>

#include "query/promql/binary.h"
#include "query/promql/binary_kernel.h"
#include "query/promql/column.h"

namespace binnacle::query::promql {
namespace {

Compared compared(const BinaryExpr& expr, bool scalar_is_lhs) {
  if (expr.return_bool) return Compared::kBool;
  return scalar_is_lhs ? Compared::kRhs : Compared::kLhs;  // a filter keeps the vector's values
}

class VectorScalar final : public RowSource {
 public:
  VectorScalar(const BinaryExpr& expr, RowSourcePtr rows, std::vector<double> scalar,
               bool scalar_is_lhs)
      : op_(expr.op),
        compared_(compared(expr, scalar_is_lhs)),
        drops_name_(!is_comparison(expr.op) || expr.return_bool),
        scalar_is_lhs_(scalar_is_lhs),
        scalar_(std::move(scalar)),
        rows_(std::move(rows)),
        values_(scalar_.size()) {}

  Result<bool> next(Row& out) override {
    do {
      TRY_ASSIGN(const bool more, rows_->next(out));
      if (!more) return false;
      if (scalar_is_lhs_) {
        binary_columns(op_, compared_, scalar_, out.values, values_);
      } else {
        binary_columns(op_, compared_, out.values, scalar_, values_);
      }
    } while (first_present(values_) == kNoStep);
    out.values = values_;
    out.drop_name |= drops_name_;
    return true;
  }

 private:
  const BinaryOp op_;
  const Compared compared_;
  const bool drops_name_;
  const bool scalar_is_lhs_;
  const std::vector<double> scalar_;  // one for each step
  RowSourcePtr rows_;
  std::vector<double> values_;
};

class Negate final : public RowSource {
 public:
  explicit Negate(RowSourcePtr rows) : rows_(std::move(rows)) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    // A NaN stays what it is, so that none becomes the absent value.
    values_.assign(out.values.begin(), out.values.end());
    for (double& value : values_) value = std::isnan(value) ? value : -value;
    out.values = values_;
    out.drop_name = true;
    return true;
  }

 private:
  RowSourcePtr rows_;
  std::vector<double> values_;
};

}  // namespace

RowSourcePtr vector_scalar(const BinaryExpr& expr, RowSourcePtr rows, std::vector<double> scalar,
                           bool scalar_is_lhs, EvalContext&) {
  return std::make_unique<VectorScalar>(expr, std::move(rows), std::move(scalar), scalar_is_lhs);
}

RowSourcePtr negate(RowSourcePtr rows) { return std::make_unique<Negate>(std::move(rows)); }

}  // namespace binnacle::query::promql
