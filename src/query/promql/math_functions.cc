#include "query/promql/math_functions.h"

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

// Values and bounds at the same steps.
class ClampRows final : public RowSource {
 public:
  ClampRows(RowSourcePtr rows, std::vector<double> lower, std::vector<double> upper)
      : rows_(std::move(rows)), lower_(std::move(lower)), upper_(std::move(upper)) {}

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    values_.resize(out.values.size());
    for (size_t i = 0; i < values_.size(); ++i) {
      const double v = out.values[i];
      const bool none = is_absent(v) || upper_[i] < lower_[i];
      values_[i] = none ? absent_value() : larger_of(lower_[i], smaller_of(upper_[i], v));
    }
    out = {out.labels, true, values_};
    return true;
  }

 private:
  RowSourcePtr rows_;
  const std::vector<double> lower_;
  const std::vector<double> upper_;
  std::vector<double> values_;
};

class RoundRows final : public RowSource {
 public:
  RoundRows(RowSourcePtr rows, std::vector<double> to_nearest)
      : rows_(std::move(rows)), inverse_(std::move(to_nearest)) {
    // Dividing by the inverse loses less than multiplying by 0.1 and the like.
    for (double& v : inverse_) v = 1 / v;
  }

  Result<bool> next(Row& out) override {
    TRY_ASSIGN(const bool more, rows_->next(out));
    if (!more) return false;
    values_.resize(out.values.size());
    for (size_t i = 0; i < values_.size(); ++i) {
      const double v = out.values[i];
      values_[i] = is_absent(v) ? v : std::floor(v * inverse_[i] + 0.5) / inverse_[i];
    }
    out = {out.labels, true, values_};
    return true;
  }

 private:
  RowSourcePtr rows_;
  std::vector<double> inverse_;
  std::vector<double> values_;
};

class MapRows final : public RowSource {
 public:
  MapRows(RowSourcePtr rows, ColumnFunction function)
      : rows_(std::move(rows)), function_(function) {}

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
  const ColumnFunction function_;
  std::vector<double> values_;
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
  return std::make_unique<MapRows>(std::move(rows), function);
}

Result<RowSourcePtr> math_on_rows(const Call& call, std::vector<Argument>& args,
                                  EvalContext& context) {
  const std::string_view name = call.function->name;
  if (const ColumnFunction function = find_math_function(name)) {
    return map_rows(std::move(args[0].rows), function);
  }
  const size_t steps = context.steps.count();
  if (name == "round") {
    std::vector<double> to_nearest =
        args.size() > 1 ? std::move(args[1].scalar) : std::vector<double>(steps, 1.0);
    return std::make_unique<RoundRows>(std::move(args[0].rows), std::move(to_nearest));
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
  return std::make_unique<ClampRows>(std::move(args[0].rows), std::move(lower), std::move(upper));
}

}  // namespace binnacle::query::promql
