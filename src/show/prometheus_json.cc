#include "show/prometheus_json.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json_text.h"

namespace binnacle::show {
namespace {

constexpr size_t kShownAnnotations = 10;

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

void append_annotation(std::string& out, std::string_view name, std::string_view one,
                       const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  const size_t shown = std::min(texts.size(), kShownAnnotations);
  std::vector<std::string> some(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(shown));
  if (shown < texts.size())
    some.push_back(fmt::format("{} more {} annotations omitted", texts.size() - shown, one));
  out += fmt::format(",\"{}\":", name);
  append_strings(out, some);
}

}  // namespace

char* write_time(char* out, int64_t ms) {
  const uint64_t magnitude = ms < 0 ? 0 - static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  if (ms < 0) *out++ = '-';
  out = std::to_chars(out, out + kTimeBytes, magnitude / 1000).ptr;
  auto rest = static_cast<int>(magnitude % 1000);
  if (rest > 0) *out++ = '.';
  for (int scale = 100; rest > 0; scale /= 10) {
    *out++ = static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  return out;
}

void append_time(std::string& out, int64_t ms) {
  char text[kTimeBytes];
  out.append(text, write_time(text, ms));
}

void append_labels(std::string& out, model::LabelsView labels) {
  out.push_back('{');
  bool first = true;
  for (const model::Label& label : labels) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_json_string(out, label.name);
    out.push_back(':');
    append_json_string(out, label.value);
  }
  out.push_back('}');
}

void append_strings(std::string& out, const std::vector<std::string>& strings) {
  out.push_back('[');
  bool first = true;
  for (const std::string& text : strings) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_json_string(out, text);
  }
  out.push_back(']');
}

void append_annotations(std::string& out, const std::vector<std::string>& warnings,
                        const std::vector<std::string>& infos) {
  append_annotation(out, "warnings", "warning", warnings);
  append_annotation(out, "infos", "info", infos);
}

net::Response success(const ApiData& data) {
  if (data.json.empty()) return net::Response::text(204, "");
  std::string body = R"({"status":"success","data":)";
  body += data.json;
  append_annotations(body, data.warnings, data.infos);
  body.push_back('}');
  return net::Response::json(200, std::move(body));
}

net::Response failure(const Error& error) {
  const ErrorKind kind = kind_of(error.code);
  std::string body = fmt::format(R"({{"status":"error","errorType":"{}","error":)", kind.type);
  append_json_string(body, error.message);
  body.push_back('}');
  net::Response response = net::Response::json(kind.status, std::move(body));
  if (error.code == Code::kUnavailable) response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace binnacle::show
