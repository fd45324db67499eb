#include "query/promql/instant_functions.h"

#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "query/promql/column_functions.h"
#include "query/promql/function_table.h"
#include "query/promql/held_rows.h"
#include "query/promql/histogram_functions.h"
#include "query/promql/label_functions.h"
#include "query/promql/math_functions.h"
#include "query/promql/sort_functions.h"

namespace binnacle::query::promql {
namespace {

std::vector<double> times_of(const Steps& steps) {
  std::vector<double> out(steps.count());
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(steps.at(i)) / 1000;
  return out;
}

RowSourcePtr one_row(std::vector<double> values) {
  std::vector<OwnedRow> rows;
  rows.push_back({{}, false, std::move(values)});
  return std::make_unique<OwnedRows>(std::move(rows));
}

// The step's time wherever there is a value.
class StepTimes final : public RowSource {
 public:
  StepTimes(RowSourcePtr rows, const Steps& steps)
      : rows_(std::move(rows)), times_(times_of(steps)), values_(times_.size()) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    for (size_t i = 0; i < values_.size(); ++i) {
      values_[i] = is_absent(out.values[i]) ? absent_value() : times_[i];
    }
    out = {out.labels, true, values_};
    return true;
  }

 private:
  RowSourcePtr rows_;
  const std::vector<double> times_;
  std::vector<double> values_;
};

RowSourcePtr dates_on_rows(ColumnFunction function, std::vector<Argument>& args,
                           EvalContext& context) {
  if (!args.empty()) return map_rows(std::move(args[0].rows), function);
  std::vector<double> times = times_of(context.steps);
  function(times, times);
  return one_row(std::move(times));
}

// The others, each alone in its kind.
Result<RowSourcePtr> other_on_rows(const Call& call, std::vector<Argument>& args,
                                   EvalContext& context) {
  const std::string_view name = call.function->name;
  if (const ColumnFunction date = find_date_function(name)) {
    return dates_on_rows(date, args, context);
  }
  if (name == "vector") return one_row(std::move(args[0].scalar));
  if (name == "absent" || name == "absent_over_time") {
    return absent(*call.args[0], std::move(args[0].rows), context);
  }
  if (name == "timestamp") {
    return std::make_unique<StepTimes>(std::move(args[0].rows), context.steps);
  }
  if (name == "start_timestamp") return no_rows(std::move(args[0].rows));
  return fail(Code::kInternal, fmt::format("function {}() is not one over instant vectors", name));
}

// The value of the only row that has one at a step; NaN of none and of several.
Result<std::vector<double>> scalar_of(RowSource& rows, EvalContext& context) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> out(context.steps.count(), none);
  std::vector<bool> found(out.size());
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, rows.next(row));
    if (!more) return out;
    for (size_t i = 0; i < out.size(); ++i) {
      if (is_absent(row.values[i])) continue;
      out[i] = found[i] ? none : row.values[i];
      found[i] = true;
    }
  }
}

}  // namespace

Result<RowSourcePtr> call_on_rows(const Call& call, std::vector<Argument> args,
                                  EvalContext& context) {
  for (const auto family : {math_on_rows, labels_on_rows, sort_on_rows, histograms_on_rows}) {
    TRY_ASSIGN(RowSourcePtr rows, family(call, args, context));
    if (rows != nullptr) return rows;
  }
  return other_on_rows(call, args, context);
}

Result<std::vector<double>> call_scalar(const Call& call, std::vector<Argument> args,
                                        EvalContext& context) {
  const std::string_view name = call.function->name;
  if (name == "time") return times_of(context.steps);
  if (name == "pi") return std::vector<double>(context.steps.count(), std::numbers::pi);
  if (name == "scalar") return scalar_of(*args[0].rows, context);
  if (name == "max_of" || name == "min_of") {
    const auto of = name == "max_of" ? larger_of : smaller_of;
    std::vector<double> out(context.steps.count());
    for (size_t i = 0; i < out.size(); ++i) out[i] = of(args[0].scalar[i], args[1].scalar[i]);
    return out;
  }
  return fail(Code::kInternal, fmt::format("function {}() does not give a scalar", name));
}

}  // namespace binnacle::query::promql
