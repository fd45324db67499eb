// PromQL evaluated the slow and obvious way, one step and one sample at a time, with maps and
// strings: what the tests hold the engine against. Written from the documentation ("Querying
// basics", "Operators", "Functions", "Feature flags"); it shares the tree with the engine and
// nothing else. Floats alone; what it does not know it refuses with kUnimplemented. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"

namespace binnacle::query::promql::testing {

using LabelMap = std::map<std::string, std::string>;

struct NaiveSeries {
  LabelMap labels;
  std::map<int64_t, double> samples;
  bool drop_name = false;  // of what came from a subquery
};

struct NaiveElement {
  LabelMap labels;
  bool drop_name = false;  // goes from the answer, and only there
  double value = 0;
};
using NaiveVector = std::vector<NaiveElement>;

struct NaiveValue {
  ValueType type = ValueType::kVector;
  double scalar = 0;
  std::string text;
  NaiveVector vector;
  std::vector<NaiveSeries> matrix;
};

// The labels of each series of the answer, with its value at each step.
using NaiveAnswer = std::map<LabelMap, std::map<int64_t, double>>;

struct NaiveQuery {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;  // 0: one step
};

class NaiveEvaluator {
 public:
  explicit NaiveEvaluator(const std::vector<NaiveSeries>& data) : data_(data) {}

  // A scalar's answer has no labels.
  Result<NaiveAnswer> answer(const Expr& expr, const NaiveQuery& query);

 private:
  Result<NaiveValue> eval(const Expr& expr, int64_t at_ms);
  Result<NaiveValue> eval_call(const Call& call, int64_t at_ms);
  Result<NaiveValue> eval_aggregation(const Aggregation& aggregation, int64_t at_ms);
  Result<NaiveValue> eval_binary(const BinaryExpr& binary, int64_t at_ms);
  Result<NaiveValue> eval_subquery(const Subquery& subquery, int64_t at_ms);
  Result<NaiveVector> select(const VectorSelector& selector, int64_t at_ms) const;
  // Of anchored and smoothed selectors a lookback more than the range, as naive_extended_function
  // wants it.
  Result<std::vector<NaiveSeries>> select_range(const MatrixSelector& selector,
                                                int64_t at_ms) const;
  Result<int64_t> shifted(int64_t at_ms, const AtModifier& at, const Duration& offset) const;
  Result<int64_t> length_ms(const Duration& duration, bool may_be_negative) const;
  // What info() makes of `base`, which was evaluated without offset and @.
  Result<NaiveVector> add_info(const Call& call, const NaiveVector& base, int64_t at_ms) const;
  // Within the lookback; nothing where the series has ended.
  static std::optional<std::pair<int64_t, double>> newest_sample(const NaiveSeries& series,
                                                                 int64_t at_ms);

  const std::vector<NaiveSeries>& data_;
  NaiveQuery query_;
};

// `samples`: those in (end - range, end]; false: the function gives nothing. `scalars`: its scalar
// arguments in order.
struct NaiveWindow {
  std::vector<std::pair<int64_t, double>> samples;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t at_ms = 0;  // the step, which is the end but for offset and @
  std::vector<double> scalars;
};
Result<bool> naive_range_function(std::string_view name, const NaiveWindow& window, double& out);
// `samples`: from a lookback before the range, of smoothed ones to a lookback behind it.
Result<bool> naive_extended_function(std::string_view name, bool smoothed,
                                     const NaiveWindow& window, double& out);
// Of a smoothed instant selector.
std::optional<double> naive_smoothed_value(const std::map<int64_t, double>& samples, int64_t at_ms,
                                           int64_t lookback_ms);
// Of a number or of a date in seconds.
Result<double> naive_math(std::string_view name, double value, const std::vector<double>& scalars);
double naive_quantile(double q, std::vector<double> values);

double naive_arithmetic(BinaryOp op, double lhs, double rhs);
bool naive_compare(BinaryOp op, double lhs, double rhs);
Result<NaiveVector> naive_vector_operator(const BinaryExpr& binary, const NaiveVector& lhs,
                                          const NaiveVector& rhs);

}  // namespace binnacle::query::promql::testing
