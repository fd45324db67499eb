#include "query/promql/function_table.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace binnacle::query::promql {
namespace {

constexpr auto kS = ValueType::kScalar;
constexpr auto kT = ValueType::kString;
constexpr auto kV = ValueType::kVector;
constexpr auto kM = ValueType::kMatrix;

void add_all(std::vector<FunctionSignature>& out, const std::vector<ValueType>& args, int variadic,
             bool experimental, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) out.push_back({name, args, variadic, kV, experimental});
}

void add_of_instant_vectors(std::vector<FunctionSignature>& out) {
  add_all(out, {kV}, 0, false,
          {"abs",
           "absent",
           "acos",
           "acosh",
           "asin",
           "asinh",
           "atan",
           "atanh",
           "ceil",
           "cos",
           "cosh",
           "deg",
           "exp",
           "floor",
           "histogram_avg",
           "histogram_count",
           "histogram_stddev",
           "histogram_stdvar",
           "histogram_sum",
           "ln",
           "log10",
           "log2",
           "rad",
           "sgn",
           "sin",
           "sinh",
           "sort",
           "sort_desc",
           "sqrt",
           "tan",
           "tanh",
           "timestamp"});
  add_all(out, {kV}, 1, false,
          {"day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month",
           "year"});
  add_all(out, {kV}, 0, true, {"start_timestamp"});
  add_all(out, {kV, kS}, 0, false, {"clamp_max", "clamp_min"});
  add_all(out, {kV, kS, kS}, 0, false, {"clamp"});
  add_all(out, {kV, kS}, 1, false, {"round"});
  add_all(out, {kS, kV}, 0, false, {"histogram_quantile"});
  add_all(out, {kS, kS, kV}, 0, false, {"histogram_fraction"});
  add_all(out, {kV, kT, kS, kS}, 9, true, {"histogram_quantiles"});
  add_all(out, {kV, kV}, 1, true, {"info"});
  add_all(out, {kV, kT, kT, kT, kT}, 0, false, {"label_replace"});
  add_all(out, {kV, kT, kT, kT}, -1, false, {"label_join"});
  add_all(out, {kV, kT}, -1, true, {"sort_by_label", "sort_by_label_desc"});
}

void add_of_range_vectors(std::vector<FunctionSignature>& out) {
  add_all(out, {kM}, 0, false,
          {"absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv",
           "first_over_time", "idelta", "increase", "irate", "last_over_time", "max_over_time",
           "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time",
           "stdvar_over_time", "sum_over_time"});
  add_all(out, {kM}, 0, true,
          {"mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
           "ts_of_min_over_time"});
  add_all(out, {kM, kS}, 0, false, {"predict_linear"});
  add_all(out, {kS, kM}, 0, false, {"quantile_over_time"});
  add_all(out, {kM, kS, kS}, 0, true, {"double_exponential_smoothing"});
}

void add_of_scalars(std::vector<FunctionSignature>& out) {
  add_all(out, {kS}, 0, false, {"vector"});
  out.push_back({"pi", {}, 0, kS, false});
  out.push_back({"time", {}, 0, kS, false});
  out.push_back({"scalar", {kV}, 0, kS, false});
  for (const std::string_view name : {"end", "range", "start", "step"})
    out.push_back({name, {}, 0, kS, true});
  for (const std::string_view name : {"max_of", "min_of"})
    out.push_back({name, {kS, kS}, 0, kS, true});
}

std::vector<FunctionSignature> make_functions() {
  std::vector<FunctionSignature> out;
  add_of_instant_vectors(out);
  add_of_range_vectors(out);
  add_of_scalars(out);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace

const std::vector<FunctionSignature>& all_functions() {
  static const std::vector<FunctionSignature> functions = make_functions();
  return functions;
}

const FunctionSignature* find_function(std::string_view name) {
  const auto& functions = all_functions();
  const auto at = std::lower_bound(functions.begin(), functions.end(), name,
                                   [](const auto& f, std::string_view n) { return f.name < n; });
  return at != functions.end() && at->name == name ? &*at : nullptr;
}

bool depends_on_step(std::string_view function) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "day_of_month", "day_of_week",    "day_of_year", "days_in_month", "hour", "minute",
      "month",        "predict_linear", "time",        "timestamp",     "year"};
  return std::ranges::find(kNames, function) != kNames.end();
}

}  // namespace binnacle::query::promql
