// What every function over a range gives in one window, computed for that window alone as the
// documentation says it. For tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "query/promql/range_test_call.h"

namespace binnacle::query::promql::twin {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();

struct Point {
  double t;  // seconds
  double v;
};
using Points = std::vector<Point>;

// A window with what lies round it, and the times in seconds.
struct Window {
  Points in;
  Points before;  // within the lookback before the start, the start itself included
  Points behind;  // within the lookback after the end
  double start, end, now;
  std::vector<double> scalars;
};

// Neumaier's sum as PromQL prescribes it, with the comparison of magnitudes.
struct Neumaier {
  double sum = 0, c = 0;
  void add(double v) {
    const double t = sum + v;
    if (std::isinf(t)) {
      c = 0;
    } else if (std::abs(sum) >= std::abs(v)) {
      c += (sum - t) + v;
    } else {
      c += (v - t) + sum;
    }
    sum = t;
  }
};

inline double sum(const Points& points) {
  Neumaier s;
  for (const Point& p : points) s.add(p.v);
  return std::isinf(s.sum) ? s.sum : s.sum + s.c;
}

inline double avg(const Points& points) {
  Neumaier s{points[0].v, 0};
  bool running = false;
  for (size_t i = 1; i < points.size(); ++i) {
    const auto n = static_cast<double>(i + 1);
    if (!running) {
      Neumaier next = s;
      next.add(points[i].v);
      if (!std::isinf(next.sum)) {
        s = next;
        continue;
      }
      running = true;
      s = {s.sum / (n - 1), s.c / (n - 1)};
    }
    s = {s.sum * ((n - 1) / n), s.c * ((n - 1) / n)};
    s.add(points[i].v / n);
  }
  const auto n = static_cast<double>(points.size());
  return running ? s.sum + s.c : s.sum / n + s.c / n;
}

inline double variance(const Points& points) {
  double n = 0;
  Neumaier mean, squares;
  for (const Point& p : points) {
    const double delta = p.v - (mean.sum + mean.c);
    mean.add(delta / ++n);
    squares.add(delta * (p.v - (mean.sum + mean.c)));
  }
  return (squares.sum + squares.c) / n;
}

// What was lost at resets, added to `result` one by one.
inline double with_resets(double result, const Points& points) {
  for (size_t i = 1; i < points.size(); ++i)
    if (points[i].v < points[i - 1].v) result += points[i - 1].v;
  return result;
}

inline double rate(const Window& w, bool counter, bool per_second) {
  if (w.in.size() < 2) return absent_value();
  const double change = w.in.back().v - w.in.front().v;
  const double increase = counter ? with_resets(change, w.in) : change;
  const double span = w.in.back().t - w.in.front().t;
  const double average = span / static_cast<double>(w.in.size() - 1);
  double to_start = w.in.front().t - w.start;
  double to_end = w.end - w.in.back().t;
  if (to_start >= average * 1.1) to_start = average / 2;
  if (to_end >= average * 1.1) to_end = average / 2;
  if (counter && increase > 0 && w.in.front().v >= 0)
    to_start = std::min(to_start, span * (w.in.front().v / increase));
  const double factor = (span + to_start + to_end) / span;
  return increase * (per_second ? factor / (w.end - w.start) : factor);
}

inline double line_at(Point a, Point b, double t, bool counter) {
  if (counter && b.v < a.v) a.v = 0;
  // In milliseconds, as huge values overflow in these or not at all.
  return a.v + (b.v - a.v) * std::round(1000 * (t - a.t)) / std::round(1000 * (b.t - a.t));
}

inline double between_ends(const Points& points, bool counter) {
  const double change = points.back().v - points.front().v;
  return counter ? change + with_resets(0, points) : change;
}

inline double anchored(const Window& w, bool counter, bool per_second) {
  if (w.in.empty()) return absent_value();
  Points points = w.in;
  if (!w.before.empty()) points.insert(points.begin(), w.before.back());
  return between_ends(points, counter) / (per_second ? w.end - w.start : 1);
}

inline double smoothed(const Window& w, bool counter, bool per_second) {
  Points all = w.before;
  all.insert(all.end(), w.in.begin(), w.in.end());
  all.insert(all.end(), w.behind.begin(), w.behind.end());
  if (w.in.empty() && (w.before.empty() || w.behind.empty())) return absent_value();
  Points points;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool last = i + 1 == all.size();
    if (all[i].t >= w.start && all[i].t <= w.end) points.push_back(all[i]);
    if (!last && all[i].t < w.start && all[i + 1].t > w.start)
      points.push_back({w.start, line_at(all[i], all[i + 1], w.start, counter)});
    if (!last && all[i].t < w.end && all[i + 1].t > w.end)
      points.push_back({w.end, line_at(all[i], all[i + 1], w.end, counter)});
  }
  if (points.empty()) return absent_value();
  return between_ends(points, counter) / (per_second ? w.end - w.start : 1);
}

inline double last_two(const Window& w, bool counter) {
  if (w.in.size() < 2) return absent_value();
  const Point a = w.in[w.in.size() - 2];
  const Point b = w.in.back();
  if (!counter) return b.v - a.v;
  return (b.v < a.v ? b.v : b.v - a.v) / (b.t - a.t);
}

inline double quantile(double q, std::vector<double> values) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  std::sort(values.begin(), values.end(),
            [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * static_cast<double>(values.size() - 1);
  const size_t low = static_cast<size_t>(std::floor(rank));
  const size_t high = std::min(values.size() - 1, low + 1);
  const double weight = rank - std::floor(rank);
  return values[low] * (1 - weight) + values[high] * weight;
}

std::vector<double> values_of(const Points& points) {
  std::vector<double> out;
  for (const Point& p : points) out.push_back(p.v);
  return out;
}

inline double mad(const Points& points) {
  std::vector<double> values = values_of(points);
  if (std::ranges::any_of(values, [](double v) { return std::isnan(v); })) return kNaN;
  const double median = quantile(0.5, values);
  for (double& v : values) v = std::abs(v - median);
  return quantile(0.5, values);
}

inline Point extreme(const Points& points, bool max, bool latest) {
  Point best = points[0];
  for (const Point& p : points) {
    const bool better = max ? p.v > best.v : p.v < best.v;
    if (better || std::isnan(best.v) || (latest && p.v == best.v)) best = p;
  }
  return best;
}

inline double line(const Window& w, bool predict) {
  if (w.in.size() < 2) return absent_value();
  const double origin = predict ? w.now : w.in[0].t;
  const double first = w.in[0].v;
  if (std::ranges::all_of(w.in, [&](const Point& p) { return p.v == first; })) {
    if (std::isinf(first)) return kNaN;
    return predict ? first : 0;
  }
  Neumaier x, y, xy, xx;
  for (const Point& p : w.in) {
    const double at = std::round(1000 * (p.t - origin)) / 1000;  // as if taken off in milliseconds
    x.add(at);
    y.add(p.v);
    xy.add(at * p.v);
    xx.add(at * at);
  }
  const auto n = static_cast<double>(w.in.size());
  const double sx = x.sum + x.c, sy = y.sum + y.c;
  const double slope = ((xy.sum + xy.c) - sx * sy / n) / ((xx.sum + xx.c) - sx * sx / n);
  return predict ? slope * w.scalars[0] + (sy / n - slope * sx / n) : slope;
}

inline double holt(const Window& w) {
  if (w.in.size() < 2) return absent_value();
  const double sf = w.scalars[0], tf = w.scalars[1];
  double s0 = 0, s1 = w.in[0].v, b = w.in[1].v - w.in[0].v;
  for (size_t i = 1; i < w.in.size(); ++i) {
    const double x = sf * w.in[i].v;
    if (i > 1) b = tf * (s1 - s0) + (1 - tf) * b;
    const double y = (1 - sf) * (s1 + b);
    s0 = s1;
    s1 = x + y;
  }
  return s1;
}

inline double pairs(const Window& w, bool anchor,
                    const std::function<bool(double, double)>& counted) {
  if (w.in.empty()) return absent_value();
  Points points = w.in;
  if (anchor && !w.before.empty()) points.insert(points.begin(), w.before.back());
  double count = 0;
  for (size_t i = 1; i < points.size(); ++i) count += counted(points[i - 1].v, points[i].v);
  return count;
}
inline bool changed(double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); }
inline bool fell(double a, double b) { return b < a; }

struct Twin {
  std::function<double(const Window&)> twin;
  std::vector<double> scalars = {};
  bool anchored = false;
  bool smoothed = false;
};

// Absent where the window is empty, which most functions need not say for themselves.
inline std::function<double(const Window&)> of(double (*f)(const Points&)) {
  return [f](const Window& w) { return w.in.empty() ? absent_value() : f(w.in); };
}
template <typename F>
inline std::function<double(const Window&)> on(F f) {
  return [f](const Window& w) { return w.in.empty() ? absent_value() : f(w); };
}

inline const std::multimap<std::string, Twin>& twins() {
  static const std::multimap<std::string, Twin> all = {
      {"absent_over_time", {on([](const Window&) { return 1.0; })}},
      {"avg_over_time", {of(avg)}},
      {"changes", {[](const Window& w) { return pairs(w, false, changed); }}},
      {"changes", {[](const Window& w) { return pairs(w, true, changed); }, {}, true}},
      {"count_over_time", {on([](const Window& w) { return static_cast<double>(w.in.size()); })}},
      {"delta", {[](const Window& w) { return rate(w, false, false); }}},
      {"delta", {[](const Window& w) { return anchored(w, false, false); }, {}, true}},
      {"delta", {[](const Window& w) { return smoothed(w, false, false); }, {}, false, true}},
      {"deriv", {[](const Window& w) { return line(w, false); }}},
      {"double_exponential_smoothing", {holt, {0.3, 0.7}}},
      {"first_over_time", {on([](const Window& w) { return w.in.front().v; })}},
      {"idelta", {[](const Window& w) { return last_two(w, false); }}},
      {"increase", {[](const Window& w) { return rate(w, true, false); }}},
      {"increase", {[](const Window& w) { return anchored(w, true, false); }, {}, true}},
      {"increase", {[](const Window& w) { return smoothed(w, true, false); }, {}, false, true}},
      {"irate", {[](const Window& w) { return last_two(w, true); }}},
      {"last_over_time", {on([](const Window& w) { return w.in.back().v; })}},
      {"mad_over_time", {of(mad)}},
      {"max_over_time", {on([](const Window& w) { return extreme(w.in, true, false).v; })}},
      {"min_over_time", {on([](const Window& w) { return extreme(w.in, false, false).v; })}},
      {"predict_linear", {[](const Window& w) { return line(w, true); }, {3600}}},
      {"present_over_time", {on([](const Window&) { return 1.0; })}},
      {"quantile_over_time",
       {on([](const Window& w) { return quantile(0.9, values_of(w.in)); }), {0.9}}},
      {"quantile_over_time",
       {on([](const Window& w) { return quantile(0, values_of(w.in)); }), {0}}},
      {"quantile_over_time", {on([](const Window&) { return kInf; }), {1.5}}},
      {"rate", {[](const Window& w) { return rate(w, true, true); }}},
      {"rate", {[](const Window& w) { return anchored(w, true, true); }, {}, true}},
      {"rate", {[](const Window& w) { return smoothed(w, true, true); }, {}, false, true}},
      {"resets", {[](const Window& w) { return pairs(w, false, fell); }}},
      {"resets", {[](const Window& w) { return pairs(w, true, fell); }, {}, true}},
      {"stddev_over_time", {on([](const Window& w) { return std::sqrt(variance(w.in)); })}},
      {"stdvar_over_time", {of(variance)}},
      {"sum_over_time", {of(sum)}},
      {"ts_of_first_over_time", {on([](const Window& w) { return w.in.front().t; })}},
      {"ts_of_last_over_time", {on([](const Window& w) { return w.in.back().t; })}},
      {"ts_of_max_over_time", {on([](const Window& w) { return extreme(w.in, true, true).t; })}},
      {"ts_of_min_over_time", {on([](const Window& w) { return extreme(w.in, false, true).t; })}},
  };
  return all;
}

inline Window window_of(const RangeCase& c, size_t step) {
  const int64_t end = c.steps.at(step) - c.offset_ms;
  const int64_t start = end - c.range_ms;
  const auto seconds = [](int64_t ms) { return static_cast<double>(ms) / 1000; };
  Window w{{}, {}, {}, seconds(start), seconds(end), seconds(c.steps.at(step)), c.scalars};
  for (size_t i = 0; i < c.times_ms.size(); ++i) {
    const int64_t t = c.times_ms[i];
    const Point point{seconds(t), c.values[i]};
    if (t > start - c.lookback_ms && t <= start) w.before.push_back(point);
    if (t > start && t <= end) w.in.push_back(point);
    if (t > end && t <= end + c.lookback_ms) w.behind.push_back(point);
  }
  return w;
}

}  // namespace binnacle::query::promql::twin
