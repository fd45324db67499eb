#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>

#include "query/promql/testing/naive_evaluator.h"

namespace binnacle::query::promql::testing {
namespace {

using SamplePairs = std::vector<std::pair<int64_t, double>>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool is_nan(double value) { return std::isnan(value); }

std::vector<double> values_of(const SamplePairs& samples) {
  std::vector<double> out;
  for (const auto& [at_ms, value] : samples) out.push_back(value);
  return out;
}

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

// The difference over the window, stretched to its boundaries where the samples come near them.
bool extrapolated(const NaiveWindow& window, bool counter, bool per_second, double& out) {
  const SamplePairs& samples = window.samples;
  if (samples.size() < 2) return false;
  double difference = samples.back().second - samples.front().second;
  for (size_t i = 1; counter && i < samples.size(); ++i) {
    if (samples[i].second < samples[i - 1].second) difference += samples[i - 1].second;
  }
  const double covered = seconds(samples.back().first - samples.front().first);
  const double between = covered / static_cast<double>(samples.size() - 1);
  double before = seconds(samples.front().first - window.start_ms);
  double after = seconds(window.end_ms - samples.back().first);
  if (before >= between * 1.1) before = between / 2;
  if (counter && difference > 0 && samples.front().second >= 0)
    before = std::min(before, covered * (samples.front().second / difference));
  if (after >= between * 1.1) after = between / 2;
  out = difference * (covered + before + after) / covered;
  if (per_second) out /= seconds(window.end_ms - window.start_ms);
  return true;
}

// Of the last two samples.
bool instantaneous(const NaiveWindow& window, bool counter, double& out) {
  const SamplePairs& samples = window.samples;
  if (samples.size() < 2) return false;
  const auto& [last_ms, last] = samples.back();
  const auto& [before_ms, before] = samples[samples.size() - 2];
  out = counter && last < before ? last : last - before;
  if (counter) out /= seconds(last_ms - before_ms);
  return true;
}

// Least squares; the value at `at_ms`.
struct Line {
  double slope = 0;
  double at = 0;
};
Line fit(const SamplePairs& samples, int64_t at_ms) {
  const bool constant = std::all_of(samples.begin(), samples.end(), [&](const auto& sample) {
    return sample.second == samples.front().second;
  });
  if (constant) {
    const bool infinite = std::isinf(samples.front().second);
    return {infinite ? kNan : 0, infinite ? kNan : samples.front().second};
  }
  const auto count = static_cast<double>(samples.size());
  double x_sum = 0;
  double y_sum = 0;
  double xy_sum = 0;
  double xx_sum = 0;
  for (const auto& [time_ms, value] : samples) {
    const double x = seconds(time_ms - at_ms);
    x_sum += x;
    y_sum += value;
    xy_sum += x * value;
    xx_sum += x * x;
  }
  const double slope = (xy_sum - x_sum * y_sum / count) / (xx_sum - x_sum * x_sum / count);
  return {slope, y_sum / count - slope * x_sum / count};
}

double smoothed(const std::vector<double>& values, double level_weight, double trend_weight) {
  double level = values[0];
  double before = 0;
  double trend = values[1] - values[0];
  for (size_t i = 1; i < values.size(); ++i) {
    if (i > 1) trend = trend_weight * (level - before) + (1 - trend_weight) * trend;
    const double next = level_weight * values[i] + (1 - level_weight) * (level + trend);
    before = level;
    level = next;
  }
  return level;
}

double variance(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  double squares = 0;
  for (const double value : values) squares += (value - sum / count) * (value - sum / count);
  return squares / count;
}

// The time of the last sample that holds the least or the greatest value.
double time_of_extreme(const SamplePairs& samples, bool greatest) {
  auto best = samples.front();
  for (const auto& sample : samples) {
    const bool better = greatest ? sample.second >= best.second : sample.second <= best.second;
    if (better || std::isnan(best.second)) best = sample;
  }
  return seconds(best.first);
}

double extreme(const std::vector<double>& values, bool greatest) {
  double best = kNan;
  for (const double value : values) {
    if (std::isnan(best) || (greatest ? value > best : value < best)) best = value;
  }
  return best;
}

bool over_time(std::string_view name, const NaiveWindow& window, double& out) {
  const std::vector<double> values = values_of(window.samples);
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  if (name == "sum_over_time") {
    out = sum;
  } else if (name == "avg_over_time") {
    out = sum / count;
  } else if (name == "count_over_time") {
    out = count;
  } else if (name == "present_over_time") {
    out = 1;
  } else if (name == "min_over_time") {
    out = extreme(values, false);
  } else if (name == "max_over_time") {
    out = extreme(values, true);
  } else if (name == "first_over_time") {
    out = values.front();
  } else if (name == "last_over_time") {
    out = values.back();
  } else if (name == "stdvar_over_time") {
    out = variance(values);
  } else if (name == "stddev_over_time") {
    out = std::sqrt(variance(values));
  } else if (name == "quantile_over_time") {
    out = naive_quantile(window.scalars.at(0), values);
  } else if (name == "mad_over_time") {
    const double median = naive_quantile(0.5, values);
    std::vector<double> distances;
    for (const double value : values) distances.push_back(std::abs(value - median));
    out = std::any_of(values.begin(), values.end(), is_nan) ? kNan : naive_quantile(0.5, distances);
  } else if (name == "ts_of_first_over_time") {
    out = seconds(window.samples.front().first);
  } else if (name == "ts_of_last_over_time") {
    out = seconds(window.samples.back().first);
  } else if (name == "ts_of_max_over_time" || name == "ts_of_min_over_time") {
    out = time_of_extreme(window.samples, name == "ts_of_max_over_time");
  } else {
    return false;
  }
  return true;
}

}  // namespace

double naive_quantile(double q, std::vector<double> values) {
  if (values.empty() || std::isnan(q)) return kNan;
  if (q < 0) return -HUGE_VAL;
  if (q > 1) return HUGE_VAL;
  std::sort(values.begin(), values.end(), [](double a, double b) {
    return std::isnan(a) ? !std::isnan(b) : a < b;  // NaN is the least
  });
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

Result<bool> naive_range_function(std::string_view name, const NaiveWindow& window, double& out) {
  const SamplePairs& samples = window.samples;
  if (name == "rate") return extrapolated(window, true, true, out);
  if (name == "increase") return extrapolated(window, true, false, out);
  if (name == "delta") return extrapolated(window, false, false, out);
  if (name == "irate") return instantaneous(window, true, out);
  if (name == "idelta") return instantaneous(window, false, out);
  if (name == "changes" || name == "resets") {
    out = 0;
    for (size_t i = 1; i < samples.size(); ++i) {
      const double before = samples[i - 1].second;
      const double now = samples[i].second;
      const bool same = now == before || (std::isnan(now) && std::isnan(before));
      out += name == "changes" ? !same : now < before;
    }
    return true;
  }
  if (name == "deriv" || name == "predict_linear") {
    if (samples.size() < 2) return false;
    if (name == "deriv") {
      out = fit(samples, samples.front().first).slope;
    } else {
      const Line line = fit(samples, window.at_ms);
      out = line.at + line.slope * window.scalars.at(0);
    }
    return true;
  }
  if (name == "double_exponential_smoothing") {
    if (samples.size() < 2) return false;
    out = smoothed(values_of(samples), window.scalars.at(0), window.scalars.at(1));
    return true;
  }
  if (over_time(name, window, out)) return true;
  return fail(Code::kUnimplemented, "the oracle does not know " + std::string(name));
}

namespace {

double rounded(double value, double to) {
  const double inverse = 1 / to;
  return std::floor(value * inverse + 0.5) / inverse;
}

double date_part(std::string_view name, double value) {
  const auto time = static_cast<time_t>(value);
  std::tm date{};
  gmtime_r(&time, &date);
  if (name == "minute") return date.tm_min;
  if (name == "hour") return date.tm_hour;
  if (name == "day_of_week") return date.tm_wday;
  if (name == "day_of_month") return date.tm_mday;
  if (name == "day_of_year") return date.tm_yday + 1;
  if (name == "month") return date.tm_mon + 1;
  if (name == "year") return date.tm_year + 1900;
  std::tm last{};  // day 0 of the next month
  last.tm_year = date.tm_year;
  last.tm_mon = date.tm_mon + 1;
  last.tm_mday = 0;
  timegm(&last);
  return last.tm_mday;
}

}  // namespace

Result<double> naive_math(std::string_view name, double value, const std::vector<double>& scalars) {
  static const std::map<std::string_view, double (*)(double)> kPlain{
      {"abs", std::fabs},  {"ceil", std::ceil},   {"floor", std::floor}, {"sqrt", std::sqrt},
      {"exp", std::exp},   {"ln", std::log},      {"log2", std::log2},   {"log10", std::log10},
      {"sin", std::sin},   {"cos", std::cos},     {"tan", std::tan},     {"asin", std::asin},
      {"acos", std::acos}, {"atan", std::atan},   {"sinh", std::sinh},   {"cosh", std::cosh},
      {"tanh", std::tanh}, {"asinh", std::asinh}, {"acosh", std::acosh}, {"atanh", std::atanh}};
  if (const auto plain = kPlain.find(name); plain != kPlain.end()) return plain->second(value);
  const double pi = std::acos(-1.0);
  if (name == "deg") return value * 180 / pi;
  if (name == "rad") return value * pi / 180;
  if (name == "sgn") return value > 0 ? 1.0 : value < 0 ? -1.0 : value;
  if (name == "round") return rounded(value, scalars.empty() ? 1 : scalars[0]);
  if (std::isnan(value)) return value;
  if (name == "clamp") return std::max(scalars.at(0), std::min(scalars.at(1), value));
  if (name == "clamp_min") return std::max(scalars.at(0), value);
  if (name == "clamp_max") return std::min(scalars.at(0), value);
  for (const std::string_view part : {"minute", "hour", "day_of_week", "day_of_month",
                                      "day_of_year", "days_in_month", "month", "year"}) {
    if (name == part) return date_part(name, value);
  }
  return fail(Code::kUnimplemented, "the oracle does not know " + std::string(name));
}

}  // namespace binnacle::query::promql::testing
