#include "app/query_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/float_text.h"
#include "base/json_text.h"

namespace binnacle::app {
namespace {

constexpr std::array<std::string_view, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string number(double value) {
  std::string out;
  append_float_text(out, value);
  return out;
}

bool is_string(const AnsweredQuery& answer) { return answer.type == "string"; }

size_t widest_series(const AnsweredQuery& answer) {
  size_t widest = 0;
  for (const AnsweredSeries& series : answer.series)
    widest = std::max(widest, series.labels.to_string().size());
  return widest;
}

std::string table(const AnsweredQuery& answer) {
  if (is_string(answer)) return answer.text + "\n";
  std::string out;
  if (answer.type == "scalar") return number(answer.series.front().values.front()) + "\n";
  const size_t widest = widest_series(answer);
  for (const AnsweredSeries& series : answer.series) {
    const std::string labels = series.labels.to_string();
    for (size_t i = 0; i < series.values.size(); ++i) {
      out += fmt::format("{:<{}}  ", labels, widest);
      if (answer.type == "matrix") out += format_rfc3339(series.times_ms[i]) + "  ";
      out += number(series.values[i]) + "\n";
    }
  }
  return out.empty() ? "no series\n" : out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

std::string csv(const AnsweredQuery& answer, const AskedQuery& query) {
  std::string out = "series,time,value\n";
  if (is_string(answer))
    return out + fmt::format(",{},{}\n", format_rfc3339(query.start_ms), csv_field(answer.text));
  for (const AnsweredSeries& series : answer.series) {
    const std::string labels = csv_field(series.labels.to_string());
    for (size_t i = 0; i < series.values.size(); ++i)
      out += fmt::format("{},{},{}\n", labels, format_rfc3339(series.times_ms[i]),
                         number(series.values[i]));
  }
  return out;
}

std::string json_point(int64_t at_ms, std::string_view value) {
  std::string out = fmt::format("[{},", static_cast<double>(at_ms) / 1000);
  append_json_string(out, value);
  return out + "]";
}

std::string json_point(int64_t at_ms, double value) {
  std::string text;
  append_float_json(text, value);
  return json_point(at_ms, text);
}

std::string json_series(const AnsweredSeries& series, bool matrix) {
  std::string out = "{\"metric\":{";
  std::string_view comma;
  for (const model::Label& label : series.labels) {
    out += comma;
    append_json_string(out, label.name);
    out += ":";
    append_json_string(out, label.value);
    comma = ",";
  }
  out += matrix ? "},\"values\":[" : "},\"value\":";
  for (size_t i = 0; i < series.values.size(); ++i) {
    if (i > 0) out += ",";
    out += json_point(series.times_ms[i], series.values[i]);
  }
  return out + (matrix ? "]}" : "}");
}

std::string json(const AnsweredQuery& answer, const AskedQuery& query) {
  std::string out = "{\"resultType\":\"" + answer.type + "\",\"result\":";
  if (is_string(answer)) return out + json_point(query.start_ms, answer.text) + "}\n";
  if (answer.type == "scalar")
    return out +
           json_point(answer.series.front().times_ms.front(),
                      answer.series.front().values.front()) +
           "}\n";
  out += "[";
  for (size_t i = 0; i < answer.series.size(); ++i)
    out += (i > 0 ? "," : "") + json_series(answer.series[i], answer.type == "matrix");
  return out + "]}\n";
}

// The last value of each column's share of the time; nothing where there is none.
std::vector<std::optional<double>> columns_of(const AnsweredSeries& series, const AskedQuery& query,
                                              size_t width) {
  std::vector<std::optional<double>> out(width);
  const double span = static_cast<double>(query.end_ms - query.start_ms) + 1;
  for (size_t i = 0; i < series.values.size(); ++i) {
    const double share = static_cast<double>(series.times_ms[i] - query.start_ms) / span;
    if (share < 0 || share >= 1) continue;
    out[static_cast<size_t>(share * static_cast<double>(width))] = series.values[i];
  }
  return out;
}

std::string sparkline(const std::vector<std::optional<double>>& columns, double least,
                      double most) {
  std::string out;
  for (const std::optional<double>& value : columns) {
    if (!value || std::isnan(*value)) {
      out += " ";
      continue;
    }
    const double height = most > least ? (*value - least) / (most - least) : 0.5;
    const double block = std::clamp(height, 0.0, 1.0) * (kBlocks.size() - 1);
    out += kBlocks[std::isfinite(block) ? static_cast<size_t>(std::lround(block)) : 0];
  }
  return out;
}

// As many columns as points at most, so that a short answer is not torn into single blocks.
size_t chart_width(const AskedQuery& query, size_t width) {
  if (query.step_ms <= 0) return 1;
  const auto points = static_cast<size_t>((query.end_ms - query.start_ms) / query.step_ms) + 1;
  return std::max<size_t>(1, std::min(width, points));
}

std::string chart(const AnsweredQuery& answer, const AskedQuery& query, size_t width) {
  if (is_string(answer)) return answer.text + "\n";
  if (answer.series.empty()) return "no series\n";
  const size_t widest = widest_series(answer);
  std::string out =
      fmt::format("{} to {}, step {} s\n", format_rfc3339(query.start_ms),
                  format_rfc3339(query.end_ms), static_cast<double>(query.step_ms) / 1000);
  for (const AnsweredSeries& series : answer.series) {
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const double value : series.values) {
      if (!std::isfinite(value)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    const auto columns = columns_of(series, query, chart_width(query, width));
    out += fmt::format("{:<{}}  {}", series.labels.to_string(), widest,
                       sparkline(columns, least, most));
    if (least <= most)
      out += fmt::format("  {} to {}, last {}", number(least), number(most),
                         number(series.values.back()));
    out += "\n";
  }
  return out;
}

}  // namespace

std::string print_answer(const AnsweredQuery& answer, const AskedQuery& query, QueryFormat format,
                         size_t width) {
  switch (format) {
    case QueryFormat::kCsv:
      return csv(answer, query);
    case QueryFormat::kJson:
      return json(answer, query);
    case QueryFormat::kChart:
      return chart(answer, query, width);
    case QueryFormat::kTable:
      break;
  }
  return table(answer);
}

}  // namespace binnacle::app
