// What the documentation calls experimental, as the oracle sees it: duration expressions ("Querying
// basics"), anchored and smoothed ("Feature flags"), info() ("Functions"). Where these pages leave
// a case open, the comment says what Prometheus does.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "model/sample.h"
#include "query/promql/function_table.h"
#include "query/promql/testing/naive_evaluator.h"

namespace binnacle::query::promql::testing {
namespace {

using Point = std::pair<int64_t, double>;

Unexpected no_duration() { return fail(Code::kInvalidArgument, "no such duration"); }

Result<double> seconds_of(const Expr& expr, const NaiveQuery& query) {
  if (const auto* number = as<NumberLiteral>(expr)) return number->value;
  const auto& duration = *as<DurationExpr>(expr);
  double lhs = 0;
  double rhs = 0;
  if (duration.lhs != nullptr) {
    TRY_ASSIGN(lhs, seconds_of(*duration.lhs, query));
  }
  if (duration.rhs != nullptr) {
    TRY_ASSIGN(rhs, seconds_of(*duration.rhs, query));
  }
  switch (duration.op) {
    case DurationExpr::Op::kAdd:
      return lhs + rhs;
    case DurationExpr::Op::kSub:
      return lhs - rhs;
    case DurationExpr::Op::kMul:
      return lhs * rhs;
    case DurationExpr::Op::kDiv:
      return rhs == 0 ? Result<double>(no_duration()) : lhs / rhs;
    case DurationExpr::Op::kMod:
      return rhs == 0 ? Result<double>(no_duration()) : std::fmod(lhs, rhs);
    case DurationExpr::Op::kPow:
      return std::pow(lhs, rhs);
    case DurationExpr::Op::kStep:
      return static_cast<double>(query.step_ms) / 1000;
    case DurationExpr::Op::kRange:
      return static_cast<double>(query.end_ms - query.start_ms) / 1000;
    case DurationExpr::Op::kMin:
      return std::min(lhs, rhs);
    case DurationExpr::Op::kMax:
      return std::max(lhs, rhs);
  }
  return no_duration();
}

double on_line(const Point& a, const Point& b, int64_t at_ms) {
  return a.second + (b.second - a.second) * static_cast<double>(at_ms - a.first) /
                        static_cast<double>(b.first - a.first);
}

// A counter that fell between the two began anew at 0.
double between(const Point& a, const Point& b, int64_t at_ms, bool counter) {
  const bool reset = counter && b.second < a.second;
  return on_line({a.first, reset ? 0 : a.second}, b, at_ms);
}

double fallen(const std::vector<double>& values) {
  double sum = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i] < values[i - 1]) sum += values[i - 1];
  }
  return sum;
}

// The range's samples, behind the newest one at or before its start where there is one.
std::vector<Point> anchored_samples(const NaiveWindow& window) {
  std::vector<Point> out;
  std::optional<Point> anchor;
  for (const Point& sample : window.samples) {
    if (sample.first <= window.start_ms) {
      anchor = sample;
    } else if (sample.first <= window.end_ms) {
      out.push_back(sample);
    }
  }
  if (anchor && !out.empty()) out.insert(out.begin(), *anchor);
  return out;
}

// The values at both ends, and those between them. A side that has no sample beyond it begins or
// ends with the nearest one; without any from the end back to the start there is nothing.
std::vector<double> smoothed_values(const NaiveWindow& window, bool counter) {
  std::vector<Point> before;
  std::vector<Point> inside;
  std::vector<Point> after;
  for (const Point& sample : window.samples) {
    (sample.first <= window.start_ms ? before
     : sample.first < window.end_ms  ? inside
                                     : after)
        .push_back(sample);
  }
  if ((before.empty() || after.empty()) && inside.empty() &&
      (after.empty() || after.front().first > window.end_ms))
    return {};
  std::vector<double> out;
  const Point& next = inside.empty() ? after.front() : inside.front();
  if (before.empty()) {
    out.push_back(next.second);
  } else {
    out.push_back(before.back().first == window.start_ms
                      ? before.back().second
                      : between(before.back(), next, window.start_ms, counter));
  }
  for (const Point& sample : inside) out.push_back(sample.second);
  if (after.empty()) {
    out.push_back(inside.back().second);
  } else if (after.front().first == window.end_ms) {
    out.push_back(after.front().second);
  } else {
    const Point& last = inside.empty() ? before.back() : inside.back();
    out.push_back(between(last, after.front(), window.end_ms, counter));
  }
  return out;
}

}  // namespace

Result<int64_t> NaiveEvaluator::length_ms(const Duration& duration, bool may_be_negative) const {
  if (duration.expr == nullptr) return duration.ms;
  TRY_ASSIGN(const double seconds, seconds_of(*duration.expr, query_));
  if (!std::isfinite(seconds) || (seconds <= 0 && !may_be_negative)) return no_duration();
  return static_cast<int64_t>(seconds * 1000);
}

std::optional<double> naive_smoothed_value(const std::map<int64_t, double>& samples, int64_t at_ms,
                                           int64_t lookback_ms) {
  std::optional<Point> before;
  std::optional<Point> after;
  for (const Point sample : samples) {
    if (sample.first <= at_ms - lookback_ms || sample.first > at_ms + lookback_ms) continue;
    if (model::is_stale(sample.second)) continue;
    if (sample.first <= at_ms) {
      before = sample;
    } else if (!after) {
      after = sample;
    }
  }
  if (!before) return std::nullopt;
  // Where nothing follows, the newest sample goes on.
  if (!after || before->first == at_ms) return before->second;
  return on_line(*before, *after, at_ms);
}

Result<bool> naive_extended_function(std::string_view name, bool smoothed,
                                     const NaiveWindow& window, double& out) {
  const bool counter = name != "delta";
  if (name == "changes" || name == "resets") {
    if (smoothed) return fail(Code::kInvalidArgument, "smoothed fits no such function");
    NaiveWindow part = window;
    part.samples = anchored_samples(window);
    return part.samples.empty() ? Result<bool>(false) : naive_range_function(name, part, out);
  }
  if (name != "rate" && name != "increase" && name != "delta")
    return fail(Code::kInvalidArgument, "anchored and smoothed fit no such function");
  std::vector<double> values;
  if (smoothed) {
    values = smoothed_values(window, counter);
  } else {
    for (const Point& sample : anchored_samples(window)) values.push_back(sample.second);
  }
  if (values.empty()) return false;
  out = values.back() - values.front() + (counter ? fallen(values) : 0);
  if (name == "rate") out /= static_cast<double>(window.end_ms - window.start_ms) / 1000;
  return true;
}

namespace {

std::string value_of(const LabelMap& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

std::pair<std::string, std::string> identity(const LabelMap& labels) {
  return {value_of(labels, "instance"), value_of(labels, "job")};
}

struct InfoSelector {
  model::Matchers names;  // of info metrics
  model::Matchers data;
  std::set<std::string> wanted;  // data labels; empty: all

  explicit InfoSelector(const Call& call) {
    if (call.args.size() > 1) {
      for (const model::Matcher& matcher : as<VectorSelector>(*call.args[1])->matchers) {
        (matcher.name() == "__name__" ? names : data).push_back(matcher);
        if (matcher.name() != "__name__") wanted.insert(matcher.name());
      }
    }
    if (names.empty())
      names.push_back(*model::Matcher::create(model::MatchOp::kEqual, "__name__", "target_info"));
  }
  bool is_info(const LabelMap& labels) const {
    return std::ranges::all_of(names, [&](const model::Matcher& matcher) {
      return matcher.matches(value_of(labels, "__name__"));
    });
  }
  bool fits(const LabelMap& labels) const {
    return is_info(labels) && std::ranges::all_of(data, [&](const model::Matcher& matcher) {
             return matcher.matches(value_of(labels, matcher.name()));
           });
  }
  bool must_match() const {
    return std::ranges::any_of(
        data, [](const model::Matcher& matcher) { return !matcher.matches_empty(); });
  }
};

}  // namespace

Result<NaiveVector> NaiveEvaluator::add_info(const Call& call, const NaiveVector& base,
                                             int64_t at_ms) const {
  const InfoSelector selector(call);
  NaiveVector out;
  for (NaiveElement element : base) {
    if (selector.is_info(element.labels)) {
      out.push_back(std::move(element));
      continue;
    }
    // Of each info metric the series with the newest sample.
    std::map<std::string, std::pair<int64_t, LabelMap>> newest;
    const auto id = identity(element.labels);
    for (const NaiveSeries& series : data_) {
      if (id == std::pair<std::string, std::string>() || identity(series.labels) != id) continue;
      if (!selector.fits(series.labels)) continue;
      const auto sample = newest_sample(series, at_ms);
      if (!sample) continue;
      auto& best = newest[value_of(series.labels, "__name__")];
      if (!best.second.empty() && best.first == sample->first)
        return fail(Code::kOutOfRange, "found duplicate series for info metric");
      if (best.second.empty() || best.first < sample->first) best = {sample->first, series.labels};
    }
    if (newest.empty() && selector.must_match()) continue;
    const LabelMap own = element.labels;
    for (const auto& [metric, info] : newest) {
      for (const auto& [name, value] : info.second) {
        const bool is_data = name != "__name__" && !own.contains(name);
        if (!is_data || (!selector.wanted.empty() && !selector.wanted.contains(name))) continue;
        if (const auto [at, added] = element.labels.emplace(name, value);
            !added && at->second != value)
          return fail(Code::kOutOfRange, "conflicting label: " + name);
      }
    }
    out.push_back(std::move(element));
  }
  return out;
}

}  // namespace binnacle::query::promql::testing
