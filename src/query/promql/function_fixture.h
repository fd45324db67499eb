// For tests of functions over instant vectors: rows by hand, calls made of values, answers as
// text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/float_text.h"
#include "model/labels.h"
#include "query/promql/function_table.h"
#include "query/promql/instant_functions.h"

namespace binnacle::query::promql {

inline const double kNone = absent_value();

// Long enough for the positions that tests give to arguments.
inline constexpr std::string_view kQueryText =
    "f(1234567890123456789012345678901234567890123456789012345678901234567890123456789)";

struct GivenRow {
  model::Labels labels;
  std::vector<double> values;
  bool drop_name = false;
};

inline RowSourcePtr rows_of(std::vector<GivenRow> given) {
  std::vector<OwnedRow> rows;
  for (GivenRow& row : given) {
    rows.push_back({std::move(row.labels), row.drop_name, std::move(row.values)});
  }
  return std::make_unique<OwnedRows>(std::move(rows));
}

// One call in a query of `steps` steps, 60 s apart from `start_ms` on.
class FunctionCall {
 public:
  FunctionCall(std::string name, size_t steps, int64_t start_ms = 0)
      : name_(std::move(name)),
        meter_({}, clock_, nullptr),
        context_{{start_ms, start_ms + static_cast<int64_t>(steps - 1) * 60'000, 60'000},
                 meter_,
                 annotations_} {
    signature_.name = name_;
    call_.function = &signature_;
  }

  FunctionCall& vector(std::vector<GivenRow> rows) {
    Argument argument;
    argument.type = ValueType::kVector;
    argument.rows = rows_of(std::move(rows));
    return add(std::move(argument), std::make_unique<VectorSelector>());
  }
  FunctionCall& scalar(double value) {
    return scalars(std::vector<double>(context_.steps.count(), value));
  }
  FunctionCall& scalars(std::vector<double> values) {
    Argument argument;
    argument.scalar = std::move(values);
    return add(std::move(argument), std::make_unique<NumberLiteral>());
  }
  FunctionCall& text(std::string value) {
    Argument argument;
    argument.type = ValueType::kString;
    argument.text = std::move(value);
    return add(std::move(argument), std::make_unique<StringLiteral>());
  }

  // Each row on a line, `up{a="b"} 1 _ 3`, a dropped name in brackets; or the error's message.
  std::string rows() { return print(call_on_rows(call_, std::move(args_), context_)); }
  std::string print(Result<RowSourcePtr> rows) {
    if (!rows) return rows.error().message;
    std::string out;
    Row row;
    for (;;) {
      const auto more = (*rows)->next(row);
      if (!more) return more.error().message;
      if (!*more) return out;
      out += row.labels.to_string() + (row.drop_name ? " drop" : "");
      for (const double v : row.values) out += " " + number(v);
      out += "\n";
    }
  }
  Result<std::vector<double>> scalar_values() {
    return call_scalar(call_, std::move(args_), context_);
  }

  Call& call() { return call_; }
  EvalContext& context() { return context_; }
  QueryMeter& meter() { return meter_; }
  std::string warnings() const { return join(annotations_.warnings()); }
  std::string infos() const { return join(annotations_.infos()); }
  static std::string number(double v) {
    if (is_absent(v)) return "_";
    std::string out;
    append_float_text(out, v);
    return out;
  }

 private:
  FunctionCall& add(Argument argument, ExprPtr expr) {
    expr->position.start = static_cast<uint32_t>(10 * (call_.args.size() + 1) - 1);
    call_.args.push_back(std::move(expr));
    args_.push_back(std::move(argument));
    return *this;
  }
  static std::string join(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += text + "\n";
    return out;
  }

  SimulatedClock clock_;
  std::string name_;
  FunctionSignature signature_;
  Call call_;
  std::vector<Argument> args_;
  Annotations annotations_{kQueryText};
  QueryMeter meter_;
  EvalContext context_;
};

}  // namespace binnacle::query::promql
