#include "query/promql/range_functions.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "query/promql/function_table.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

struct Maker {
  std::string_view name;
  RangeResult (*make)(const RangeCall&);
  bool anchored = false;
  bool smoothed = false;
};

// By name, as messages list those that take a modifier.
constexpr Maker kMakers[] = {
    {"absent_over_time", make_present},
    {"avg_over_time", make_avg},
    {"changes", make_changes, true, false},
    {"count_over_time", make_count},
    {"delta", make_delta, true, true},
    {"deriv", make_deriv},
    {"double_exponential_smoothing", make_double_exponential_smoothing},
    {"first_over_time", make_first},
    {"idelta", make_idelta},
    {"increase", make_increase, true, true},
    {"irate", make_irate},
    {"last_over_time", make_last},
    {"mad_over_time", make_mad},
    {"max_over_time", make_max},
    {"min_over_time", make_min},
    {"predict_linear", make_predict_linear},
    {"present_over_time", make_present},
    {"quantile_over_time", make_quantile},
    {"rate", make_rate, true, true},
    {"resets", make_resets, true, false},
    {"stddev_over_time", make_stddev},
    {"stdvar_over_time", make_stdvar},
    {"sum_over_time", make_sum},
    {"ts_of_first_over_time", make_ts_of_first},
    {"ts_of_last_over_time", make_ts_of_last},
    {"ts_of_max_over_time", make_ts_of_max},
    {"ts_of_min_over_time", make_ts_of_min},
};

Unexpected wrong_modifier(std::string_view modifier, bool Maker::*takes, std::string_view name) {
  std::string names;
  for (const Maker& maker : kMakers) {
    if (!(maker.*takes)) continue;
    if (!names.empty()) names += ", ";
    names += maker.name;
  }
  return fail(Code::kOutOfRange, fmt::format("{} modifier can only be used with: {} - not with {}",
                                             modifier, names, name));
}

// The bound that moved by `advance` at the step before: samples at or before `time_ms`. Where steps
// and samples are spaced evenly the guess is right and nothing is searched.
size_t move_bound(std::span<const int64_t> times_ms, size_t bound, size_t advance,
                  int64_t time_ms) {
  size_t at = std::min(bound + advance, times_ms.size());
  while (at > bound && times_ms[at - 1] > time_ms) --at;
  while (at < times_ms.size() && times_ms[at] <= time_ms) ++at;
  return at;
}

void find_bounds(std::span<const int64_t> times_ms, const Steps& steps, int64_t shift_ms,
                 std::vector<uint32_t>& bounds) {
  const size_t count = steps.count();
  bounds.resize(count);
  const auto from = std::ranges::upper_bound(times_ms, steps.start_ms - shift_ms);
  size_t bound = static_cast<size_t>(from - times_ms.begin());
  size_t advance = 0;
  bounds[0] = static_cast<uint32_t>(bound);
  for (size_t i = 1; i < count; ++i) {
    const size_t next = move_bound(times_ms, bound, advance, steps.at(i) - shift_ms);
    advance = next - bound;
    bound = next;
    bounds[i] = static_cast<uint32_t>(bound);
  }
}

}  // namespace

void Windows::find(std::span<const int64_t> times_ms) {
  ++found;
  if (at_ms) {
    const auto up_to = [&](int64_t time_ms) {
      return static_cast<uint32_t>(std::ranges::upper_bound(times_ms, time_ms) - times_ms.begin());
    };
    first.assign(steps.count(), up_to(start_ms(0)));
    last.assign(steps.count(), up_to(end_ms(0)));
    return;
  }
  find_bounds(times_ms, steps, offset_ms + range_ms, first);
  find_bounds(times_ms, steps, offset_ms, last);
}

size_t Windows::samples() const {
  return std::accumulate(last.begin(), last.end(), size_t{0}) -
         std::accumulate(first.begin(), first.end(), size_t{0});
}

PositionRange argument_position(const Call& call, size_t argument) {
  const Expr* expr = call.args[argument].get();
  while (const auto* paren = as<ParenExpr>(expr)) expr = paren->expr.get();
  return expr->kind == Expr::Kind::kSubquery ? PositionRange{} : expr->position;
}

Result<std::unique_ptr<RangeFunction>> make_range_function(const RangeCall& call) {
  const std::string_view name = call.call.function->name;
  const auto* maker = std::ranges::find(kMakers, name, &Maker::name);
  if (maker == std::end(kMakers))
    return fail(Code::kUnimplemented, fmt::format("no function over a range: {}", name));
  if (call.anchored && !maker->anchored) return wrong_modifier("anchored", &Maker::anchored, name);
  if (call.smoothed && !maker->smoothed) return wrong_modifier("smoothed", &Maker::smoothed, name);
  if (maker->smoothed && (call.anchored || call.smoothed)) return make_extended(call);
  return maker->make(call);
}

}  // namespace binnacle::query::promql
