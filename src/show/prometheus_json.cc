#include "show/prometheus_json.h"

#include <fmt/format.h>

#include <iterator>

#include "base/float_text.h"
#include "base/json_text.h"

namespace binnacle::show {
namespace {

using query::promql::SeriesValues;
using query::promql::Steps;

// Unix seconds with up to three decimals, as Prometheus writes them: 1700000000.5
void append_time(std::string& out, int64_t ms) {
  if (ms < 0) out.push_back('-');
  const int64_t magnitude = ms < 0 ? -ms : ms;
  fmt::format_to(std::back_inserter(out), "{}", magnitude / 1000);
  if (magnitude % 1000 == 0) return;
  std::string decimals = fmt::format(".{:03}", magnitude % 1000);
  while (decimals.back() == '0') decimals.pop_back();
  out += decimals;
}

void append_point(std::string& out, int64_t time_ms, double value) {
  out.push_back('[');
  append_time(out, time_ms);
  out += ",\"";
  append_float_json(out, value);
  out += "\"]";
}

void append_metric(std::string& out, const SeriesValues& series) {
  if (out.back() == '}') out.push_back(',');
  out += "{\"metric\":";
  append_labels(out, series.labels);
}

struct ErrorKind {
  std::string_view type;
  int status;
};

ErrorKind kind_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return {"bad_data", 400};
    case Code::kOutOfRange:
    case Code::kResourceExhausted:
      return {"execution", 422};
    case Code::kDeadlineExceeded:
      return {"timeout", 503};
    case Code::kCancelled:
      return {"canceled", 499};
    case Code::kUnavailable:
      return {"unavailable", 503};
    case Code::kNotFound:
      return {"not_found", 404};
    default:
      return {"internal", 500};
  }
}

}  // namespace

void append_labels(std::string& out, model::LabelsView labels) {
  out.push_back('{');
  for (const model::Label& label : labels) {
    if (out.back() != '{') out.push_back(',');
    append_json_string(out, label.name);
    out.push_back(':');
    append_json_string(out, label.value);
  }
  out.push_back('}');
}

std::string vector_data(const std::vector<SeriesValues>& series, int64_t time_ms) {
  std::string out = R"({"resultType":"vector","result":[)";
  for (const SeriesValues& one : series) {
    append_metric(out, one);
    out += ",\"value\":";
    append_point(out, time_ms, one.values.front());
    out.push_back('}');
  }
  out += "]}";
  return out;
}

std::string matrix_data(const std::vector<SeriesValues>& series, const Steps& steps) {
  std::string out = R"({"resultType":"matrix","result":[)";
  for (const SeriesValues& one : series) {
    append_metric(out, one);
    out += ",\"values\":[";
    for (size_t i = 0; i < one.values.size(); ++i) {
      if (query::promql::is_absent(one.values[i])) continue;
      if (out.back() == ']') out.push_back(',');
      append_point(out, steps.at(i), one.values[i]);
    }
    out += "]}";
  }
  out += "]}";
  return out;
}

std::string strings_data(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& text : strings) {
    if (out.size() > 1) out.push_back(',');
    append_json_string(out, text);
  }
  out.push_back(']');
  return out;
}

net::Response success(std::string_view data) {
  return net::Response::json(200, fmt::format(R"({{"status":"success","data":{}}})", data));
}

net::Response failure(const Error& error) {
  const ErrorKind kind = kind_of(error.code);
  std::string body = fmt::format(R"({{"status":"error","errorType":"{}","error":)", kind.type);
  append_json_string(body, error.message);
  body.push_back('}');
  return net::Response::json(kind.status, std::move(body));
}

}  // namespace binnacle::show
