#include "query/promql/test_script_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "model/sample.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

using Problem = std::optional<std::string>;

struct Point {
  int64_t at_ms = 0;
  double value = 0;
};
struct PointSeries {
  std::string labels;
  std::vector<Point> points;
};

std::string number(double value) {
  if (model::is_stale(value)) return "stale";
  return number_text(value);
}

std::string line_of(const PointSeries& series, bool with_times) {
  std::string out = series.labels;
  for (const Point& point : series.points) {
    out += ' ' + number(point.value);
    if (with_times) out += fmt::format("@{}", static_cast<double>(point.at_ms) / 1000);
  }
  return out;
}

// Without the steps that have no value. The point of an instant vector is the evaluation's,
// whenever that was: its time is 0.
std::vector<PointSeries> series_of(const QueryAnswer& answer) {
  std::vector<PointSeries> all;
  for (const OwnedRow& row : answer.rows) {
    PointSeries series{row.labels.to_string(), {}};
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (is_absent(row.values[i])) continue;
      const int64_t at_ms = answer.type == ValueType::kVector ? 0 : answer.steps.at(i);
      series.points.push_back({at_ms, row.values[i]});
    }
    all.push_back(std::move(series));
  }
  for (const SampleSeries& samples : answer.samples) {
    PointSeries series{samples.labels.to_string(), {}};
    for (size_t i = 0; i < samples.values.size(); ++i)
      series.points.push_back({samples.times_ms[i], samples.values[i]});
    all.push_back(std::move(series));
  }
  return all;
}

std::vector<PointSeries> expected_series(const EvalCommand& eval) {
  const Steps steps = eval.range_vector ? *eval.range_vector : eval.instant ? Steps() : eval.steps;
  std::vector<PointSeries> all;
  for (const ScriptSeries& expected : eval.series) {
    PointSeries series{expected.labels.to_string(), {}};
    for (size_t i = 0; i < expected.values.size(); ++i) {
      if (expected.values[i].kind != ScriptValue::Kind::kGap)
        series.points.push_back({steps.at(i), expected.values[i].value});
    }
    all.push_back(std::move(series));
  }
  return all;
}

Problem compare_points(const PointSeries& expected, const PointSeries& got) {
  if (expected.points.size() != got.points.size())
    return fmt::format("{}: expected {} points, got {}", got.labels, expected.points.size(),
                       got.points.size());
  for (size_t i = 0; i < got.points.size(); ++i) {
    const Point& want = expected.points[i];
    const Point& have = got.points[i];
    if (want.at_ms != have.at_ms)
      return fmt::format("{}: expected point {} at {} ms, got it at {} ms", got.labels, i,
                         want.at_ms, have.at_ms);
    if (!almost_equal(want.value, have.value))
      return fmt::format("{}: expected point {} to be {}, got {}", got.labels, i,
                         number(want.value), number(have.value));
  }
  return {};
}

// Label sets are compared as text: they were checked to be unique on both sides by who made them.
Problem compare_series(const EvalCommand& eval, const QueryAnswer& answer) {
  const std::vector<PointSeries> expected = expected_series(eval);
  const std::vector<PointSeries> got = series_of(answer);
  const auto find = [](const std::vector<PointSeries>& in, const std::string& labels) {
    return std::find_if(in.begin(), in.end(),
                        [&](const PointSeries& series) { return series.labels == labels; });
  };
  for (size_t i = 0; i < got.size(); ++i) {
    const auto want = find(expected, got[i].labels);
    if (want == expected.end()) return fmt::format("unexpected series {}", got[i].labels);
    if (find(got, got[i].labels) != got.begin() + static_cast<ptrdiff_t>(i))
      return fmt::format("the series {} is there twice", got[i].labels);
    if (eval.ordered && want != expected.begin() + static_cast<ptrdiff_t>(i))
      return fmt::format("{}: expected at place {}, got it at place {}", got[i].labels,
                         want - expected.begin() + 1, i + 1);
    if (Problem problem = compare_points(*want, got[i])) return problem;
  }
  for (const PointSeries& want : expected) {
    if (find(got, want.labels) == got.end())
      return fmt::format("the series {} is missing", want.labels);
  }
  return {};
}

Problem check_order(const QueryAnswer& answer) {
  for (size_t i = 1; i < answer.rows.size(); ++i) {
    if (model::compare(answer.rows[i - 1].labels, answer.rows[i].labels) > 0)
      return fmt::format("the matrix is not sorted by labels: {} comes before {}",
                         answer.rows[i - 1].labels.to_string(), answer.rows[i].labels.to_string());
  }
  return {};
}

Problem compare_kind(const ExpectedAnnotations& expected, const std::vector<std::string>& got,
                     std::string_view kind) {
  const std::string all = fmt::format("{}", fmt::join(got, "; "));
  const bool wanted = expected.some || !expected.patterns.empty();
  if (wanted && got.empty()) return fmt::format("expected {} annotations, got none", kind);
  if (expected.none && !got.empty()) return fmt::format("expected no {}, got: {}", kind, all);
  if (expected.patterns.empty()) return {};
  for (const TextPattern& pattern : expected.patterns) {
    if (std::none_of(got.begin(), got.end(),
                     [&](const std::string& text) { return pattern.matches(text); }))
      return fmt::format("expected {} {}, got: {}", kind, pattern.to_string(), all);
  }
  for (const std::string& text : got) {
    if (std::none_of(expected.patterns.begin(), expected.patterns.end(),
                     [&](const TextPattern& pattern) { return pattern.matches(text); }))
      return fmt::format("unexpected {}: {}", kind, text);
  }
  return {};
}

std::string lines_text(const std::vector<PointSeries>& all, size_t max_lines, bool with_times) {
  std::string out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == max_lines) return out + fmt::format("... and {} more\n", all.size() - i);
    out += line_of(all[i], with_times) + '\n';
  }
  return out.empty() ? "no series\n" : out;
}

}  // namespace

bool almost_equal(double a, double b) {
  constexpr double kEpsilon = 1e-6;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (model::is_stale(a) || model::is_stale(b)) return model::is_stale(a) && model::is_stale(b);
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double apart = std::abs(a - b);
  if (a == 0 || b == 0 || sum < kSmallest) return apart < kEpsilon * kSmallest;
  return apart / std::min(sum, std::numeric_limits<double>::max()) < kEpsilon;
}

Problem compare_answer(const EvalCommand& eval, const QueryAnswer& answer) {
  if (answer.type == ValueType::kString) {
    if (answer.text == eval.string.value_or("")) return {};
    return eval.string ? "another string" : "expected no string";
  }
  if (eval.string) return "expected a string";
  if (answer.type == ValueType::kScalar) {
    if (!eval.scalar) return "expected a vector or a matrix, got a scalar";
    return almost_equal(*eval.scalar, answer.scalar) ? Problem() : "another scalar";
  }
  if (eval.scalar) return "expected a scalar";
  if (answer.type == ValueType::kMatrix) {
    if (eval.ordered) return "expected an ordered vector, got a matrix";
    if (Problem problem = check_order(answer)) return problem;
  }
  return compare_series(eval, answer);
}

Problem compare_annotations(const EvalCommand& eval, const QueryAnswer& answer) {
  if (Problem problem = compare_kind(eval.warnings, answer.warnings, "warning")) return problem;
  return compare_kind(eval.infos, answer.infos, "info");
}

Problem compare_failure(const EvalCommand& eval, const std::string& message) {
  for (const TextPattern& pattern : eval.failure) {
    if (!pattern.matches(message)) return "expected another error: " + pattern.to_string();
  }
  return {};
}

std::string expected_text(const EvalCommand& eval, size_t max_lines) {
  if (eval.must_fail) {
    std::string out = "an error";
    for (const TextPattern& pattern : eval.failure) out += ": " + pattern.to_string();
    return out + "\n";
  }
  if (eval.string) return fmt::format("string \"{}\"\n", *eval.string);
  if (eval.scalar) return fmt::format("scalar {}\n", number(*eval.scalar));
  return lines_text(expected_series(eval), max_lines, !eval.instant || eval.range_vector);
}

std::string answer_text(const QueryAnswer& answer, size_t max_lines) {
  if (answer.type == ValueType::kString) return fmt::format("string \"{}\"\n", answer.text);
  if (answer.type == ValueType::kScalar) return fmt::format("scalar {}\n", number(answer.scalar));
  return lines_text(series_of(answer), max_lines, answer.type == ValueType::kMatrix);
}

}  // namespace binnacle::query::promql
