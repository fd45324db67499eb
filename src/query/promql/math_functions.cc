#include "query/promql/math_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "query/promql/column_functions.h"
#include "query/promql/function_table.h"
#include "query/promql/held_rows.h"

namespace binnacle::query::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct NamedFunction {
  std::string_view name;
  ColumnFunction function;
};

double sign_of(double v) { return v < 0 ? -1 : v > 0 ? 1 : v; }
double to_radians(double v) { return v * std::numbers::pi / 180; }
double to_degrees(double v) { return v * 180 / std::numbers::pi; }

constexpr std::array kFunctions = {
    NamedFunction{"abs", apply_to_column<[](double v) { return std::fabs(v); }>},
    NamedFunction{"ceil", apply_to_column<[](double v) { return std::ceil(v); }>},
    NamedFunction{"floor", apply_to_column<[](double v) { return std::floor(v); }>},
    NamedFunction{"exp", apply_to_column<[](double v) { return std::exp(v); }>},
    NamedFunction{"sqrt", apply_to_column<[](double v) { return std::sqrt(v); }>},
    NamedFunction{"ln", apply_to_column<[](double v) { return std::log(v); }>},
    NamedFunction{"log2", apply_to_column<[](double v) { return std::log2(v); }>},
    NamedFunction{"log10", apply_to_column<[](double v) { return std::log10(v); }>},
    NamedFunction{"sin", apply_to_column<[](double v) { return std::sin(v); }>},
    NamedFunction{"cos", apply_to_column<[](double v) { return std::cos(v); }>},
    NamedFunction{"tan", apply_to_column<[](double v) { return std::tan(v); }>},
    NamedFunction{"asin", apply_to_column<[](double v) { return std::asin(v); }>},
    NamedFunction{"acos", apply_to_column<[](double v) { return std::acos(v); }>},
    NamedFunction{"atan", apply_to_column<[](double v) { return std::atan(v); }>},
    NamedFunction{"sinh", apply_to_column<[](double v) { return std::sinh(v); }>},
    NamedFunction{"cosh", apply_to_column<[](double v) { return std::cosh(v); }>},
    NamedFunction{"tanh", apply_to_column<[](double v) { return std::tanh(v); }>},
    NamedFunction{"asinh", apply_to_column<[](double v) { return std::asinh(v); }>},
    NamedFunction{"acosh", apply_to_column<[](double v) { return std::acosh(v); }>},
    NamedFunction{"atanh", apply_to_column<[](double v) { return std::atanh(v); }>},
    NamedFunction{"rad", apply_to_column<to_radians>},
    NamedFunction{"deg", apply_to_column<to_degrees>},
    NamedFunction{"sgn", apply_to_column<sign_of>},
};

// The rows with the name dropped and the values that `function(values, out)` makes of theirs.
template <typename Function>
class MappedRows final : public RowSource {
 public:
  MappedRows(RowSourcePtr rows, Function function)
      : rows_(std::move(rows)), function_(std::move(function)) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    values_.resize(out.values.size());
    function_(out.values, values_);
    out = {out.labels, true, values_};
    return true;
  }

 private:
  RowSourcePtr rows_;
  const Function function_;
  std::vector<double> values_;
};

template <typename Function>
RowSourcePtr mapped(RowSourcePtr rows, Function function) {
  return std::make_unique<MappedRows<Function>>(std::move(rows), std::move(function));
}

// Values and bounds at the same steps.
struct Clamp {
  std::vector<double> lower;
  std::vector<double> upper;
  void operator()(std::span<const double> values, std::span<double> out) const {
    for (size_t i = 0; i < out.size(); ++i) {
      const bool none = is_absent(values[i]) || upper[i] < lower[i];
      out[i] = none ? absent_value() : larger_of(lower[i], smaller_of(upper[i], values[i]));
    }
  }
};

// Dividing by the inverse loses less than multiplying by 0.1 and the like.
struct Round {
  std::vector<double> inverse;
  void operator()(std::span<const double> values, std::span<double> out) const {
    for (size_t i = 0; i < out.size(); ++i) {
      const double v = values[i];
      out[i] = is_absent(v) ? v : std::floor(v * inverse[i] + 0.5) / inverse[i];
    }
  }
};

}  // namespace

double larger_of(double a, double b) {
  if (a == kInfinity || b == kInfinity) return kInfinity;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

double smaller_of(double a, double b) {
  if (a == -kInfinity || b == -kInfinity) return -kInfinity;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

ColumnFunction find_math_function(std::string_view name) {
  for (const NamedFunction& named : kFunctions) {
    if (named.name == name) return named.function;
  }
  return nullptr;
}

RowSourcePtr map_rows(RowSourcePtr rows, ColumnFunction function) {
  return mapped(std::move(rows), function);
}

Result<RowSourcePtr> math_on_rows(const Call& call, std::vector<Argument>& args,
                                  EvalContext& context) {
  const std::string_view name = call.function->name;
  if (const ColumnFunction function = find_math_function(name)) {
    return map_rows(std::move(args[0].rows), function);
  }
  const size_t steps = context.steps.count();
  if (name == "round") {
    std::vector<double> inverse(steps, 1.0);
    if (args.size() > 1)
      std::ranges::transform(args[1].scalar, inverse.begin(), [](double v) { return 1 / v; });
    return mapped(std::move(args[0].rows), Round{std::move(inverse)});
  }
  std::vector<double> lower(steps, -kInfinity);
  std::vector<double> upper(steps, kInfinity);
  if (name == "clamp") {
    lower = std::move(args[1].scalar);
    upper = std::move(args[2].scalar);
  } else if (name == "clamp_min") {
    lower = std::move(args[1].scalar);
  } else if (name == "clamp_max") {
    upper = std::move(args[1].scalar);
  } else {
    return nullptr;
  }
  return mapped(std::move(args[0].rows), Clamp{std::move(lower), std::move(upper)});
}

}  // namespace binnacle::query::promql
