#include "show/live_protocol.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/float_text.h"
#include "base/json_parse.h"
#include "base/json_text.h"
#include "query/promql/parser.h"
#include "show/prometheus_json.h"

namespace binnacle::show {
namespace {

using nlohmann::json;
using query::promql::OwnedRow;
using query::promql::Steps;

constexpr size_t kMaxIdBytes = 128;

// null where there is no sample; JSON has no word for NaN and infinities, so they go as strings.
void append_value(std::string& out, double value) {
  if (query::promql::is_absent(value)) {
    out += "null";
  } else if (std::isfinite(value)) {
    append_float_json(out, value);
  } else {
    out.push_back('"');
    append_float_json(out, value);
    out.push_back('"');
  }
}

void append_series_head(std::string& out, size_t ref, const model::Labels& labels) {
  fmt::format_to(std::back_inserter(out), R"({{"ref":{},"metric":)", ref);
  append_labels(out, labels);
}

std::string head(std::string_view type, std::string_view id) {
  std::string out = fmt::format(R"({{"type":"{}","id":)", type);
  append_json_string(out, id);
  return out;
}

Result<int64_t> milliseconds(const json& message, const char* key, int64_t if_absent) {
  const auto it = message.find(key);
  if (it == message.end()) return if_absent;
  if (!it->is_number_integer() || it->get<int64_t>() < 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: want whole milliseconds ({})", key, it->dump().substr(0, 64)));
  }
  return it->get<int64_t>();
}

std::string text_of(const json& message, const char* key) {
  const auto it = message.find(key);
  return it != message.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Result<LiveRequest> read_subscribe(const json& message, const LiveBounds& bounds,
                                   LiveRequest request) {
  request.query = text_of(message, "query");
  TRY_ASSIGN(request.expr,
             query::promql::parse(request.query, {.experimental = bounds.experimental}));
  const auto type = query::promql::type_of(*request.expr);
  if (type != query::promql::ValueType::kScalar && type != query::promql::ValueType::kVector) {
    return fail(Code::kInvalidArgument,
                fmt::format("query: want a scalar or an instant vector, this is a {}",
                            query::promql::documented_type_name(type)));
  }
  TRY_ASSIGN(request.range_ms, milliseconds(message, "range_ms", 0));
  TRY_ASSIGN(request.step_ms, milliseconds(message, "step_ms", 1000));
  TRY_ASSIGN(request.lookback_ms, milliseconds(message, "lookback_ms", 0));
  if (request.step_ms < bounds.min_step_ms) {
    return fail(Code::kInvalidArgument,
                fmt::format("step_ms: at least {} ({})", bounds.min_step_ms, request.step_ms));
  }
  if (static_cast<size_t>(request.range_ms / request.step_ms) >= bounds.max_points) {
    return fail(
        Code::kInvalidArgument,
        fmt::format(
            "range_ms / step_ms: more than {} points (query.max_points); take a larger step_ms",
            bounds.max_points));
  }
  return request;
}

}  // namespace

Result<LiveRequest> parse_live_request(std::string_view text, const LiveBounds& bounds,
                                       std::string& id) {
  const json message = parse_json(text);
  if (!message.is_object()) return fail(Code::kInvalidArgument, "want a JSON object with \"op\"");
  id = text_of(message, "id").substr(0, kMaxIdBytes);
  LiveRequest request;
  request.id = id;
  if (request.id.empty())
    return fail(Code::kInvalidArgument, "id: want a string that names the subscription");
  const std::string op = text_of(message, "op");
  if (op == "subscribe") return read_subscribe(message, bounds, std::move(request));
  if (op != "unsubscribe") {
    return fail(Code::kInvalidArgument,
                fmt::format("op: want \"subscribe\" or \"unsubscribe\" (\"{:.64}\")", op));
  }
  request.op = LiveRequest::Op::kUnsubscribe;
  return request;
}

std::string live_hello(std::string_view version, std::string_view boot_id, int64_t now_ms) {
  return fmt::format(R"({{"type":"hello","version":"{}","boot_id":"{}","now_ms":{}}})", version,
                     boot_id, now_ms);
}

std::string live_error(std::string_view id, std::string_view message) {
  std::string out = head("error", id);
  out += ",\"message\":";
  append_json_string(out, message);
  out.push_back('}');
  return out;
}

std::pair<size_t, bool> LiveSeries::ref_of(const model::Labels& labels) {
  const auto [it, fresh] = refs_.try_emplace(labels.packed(), refs_.size());
  return {it->second, fresh};
}

std::string LiveSeries::snapshot(const std::vector<OwnedRow>& series, const Steps& steps) {
  refs_.clear();
  std::string out = head("snapshot", id_);
  fmt::format_to(std::back_inserter(out), R"(,"start_ms":{},"step_ms":{},"series":[)",
                 steps.start_ms, steps.step_ms);
  for (const OwnedRow& one : series) {
    if (out.back() == '}') out.push_back(',');
    append_series_head(out, ref_of(one.labels).first, one.labels);
    out += ",\"values\":[";
    for (const double value : one.values) {
      if (out.back() != '[') out.push_back(',');
      append_value(out, value);
    }
    out += "]}";
  }
  out += "]}";
  return out;
}

std::string LiveSeries::delta(const std::vector<OwnedRow>& series, int64_t time_ms) {
  std::string out = head("delta", id_);
  fmt::format_to(std::back_inserter(out), R"(,"time_ms":{},"added":[)", time_ms);
  std::vector<double> values(refs_.size(), query::promql::absent_value());
  for (const OwnedRow& one : series) {
    const auto [ref, fresh] = ref_of(one.labels);
    if (fresh) {
      if (out.back() == '}') out.push_back(',');
      append_series_head(out, ref, one.labels);
      out.push_back('}');
      values.push_back(one.values.front());
    } else {
      values[ref] = one.values.front();
    }
  }
  out += "],\"values\":[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_value(out, values[i]);
  }
  out += "]}";
  return out;
}

}  // namespace binnacle::show
