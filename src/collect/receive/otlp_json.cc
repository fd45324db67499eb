// OTLP metrics in JSON: protobuf's JSON mapping with lowerCamelCase names, enums as numbers,
// 64-bit numbers as strings or numbers. Source: OTLP specification, "JSON Protobuf Encoding".
#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/float_text.h"
#include "base/json_text.h"
#include "collect/receive/otlp_metrics.h"

namespace binnacle::collect::receive {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

struct Refusal final : std::exception {
  explicit Refusal(Error e) : error(std::move(e)) {}
  explicit Refusal(std::string message)
      : error{Code::kInvalidArgument, "OTLP body: " + std::move(message)} {}
  const char* what() const noexcept override { return error.message.c_str(); }
  Error error;
};

object object_of(element value, std::string_view what) {
  object out;
  if (value.get(out) != simdjson::SUCCESS) throw Refusal(fmt::format("{} is no object", what));
  return out;
}

std::string_view string_of(element value, std::string_view what) {
  std::string_view out;
  if (value.get(out) != simdjson::SUCCESS) throw Refusal(fmt::format("{} is no string", what));
  return out;
}

double number_in(std::string_view text, std::string_view what) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || end != copy.c_str() + copy.size() || !std::isfinite(value))
    throw Refusal(fmt::format("{} is no number (\"{:.32}\")", what, text));
  return value;
}

double double_of(element value, std::string_view what) {
  double out = 0;
  if (value.get(out) == simdjson::SUCCESS) return out;
  return number_in(string_of(value, what), what);
}

template <typename Int>
Int integer_of(element value, std::string_view what) {
  Int out = 0;
  if (value.get(out) == simdjson::SUCCESS) return out;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return out;
  }
  throw Refusal(fmt::format("{} is no whole number", what));
}

bool bool_of(element value, std::string_view what) {
  bool out = false;
  if (value.get(out) != simdjson::SUCCESS) throw Refusal(fmt::format("{} is no boolean", what));
  return out;
}

// Calls `fn` for each field that is not null.
template <typename Fn>
void each_field(object fields, Fn fn) {
  for (const auto field : fields) {
    if (!field.value.is_null()) fn(field.key, field.value);
  }
}

template <typename Fn>
void each_element(element list, std::string_view what, Fn fn) {
  array items;
  if (list.get(items) != simdjson::SUCCESS) throw Refusal(fmt::format("{} is no array", what));
  for (const element item : items) fn(item);
}

// An AnyValue as text, as the protobuf decoder writes it.
class ValueWriter {
 public:
  explicit ValueWriter(std::string& out) : out_(out) {}

  void write(element any_value, int depth) {
    if (depth > kMaxOtlpValueDepth) {
      throw Refusal(
          fmt::format("an attribute's value nests more than {} deep", kMaxOtlpValueDepth));
    }
    bool any = false;
    if (!any_value.is_null()) {
      each_field(object_of(any_value, "value"), [&](std::string_view name, element value) {
        any = write_one(name, value, depth) || any;
      });
    }
    if (!any && depth > 0) out_ += "null";
  }

 private:
  bool write_one(std::string_view name, element value, int depth) {
    if (name == "stringValue" || name == "bytesValue") {  // bytes are base64 in JSON already
      write_text(string_of(value, name), depth);
    } else if (name == "boolValue") {
      out_ += bool_of(value, name) ? "true" : "false";
    } else if (name == "intValue") {
      out_ += std::to_string(integer_of<int64_t>(value, name));
    } else if (name == "doubleValue") {
      append_float_json(out_, double_of(value, name));
    } else if (name == "arrayValue") {
      write_array(object_of(value, name), depth);
    } else if (name == "kvlistValue") {
      write_map(object_of(value, name), depth);
    } else {
      return false;
    }
    return true;
  }
  void write_text(std::string_view text, int depth) {
    if (depth > 0) {
      append_json_string(out_, text);
    } else {
      out_ += text;
    }
  }
  void write_array(object holder, int depth) {
    out_.push_back('[');
    bool first = true;
    each_field(holder, [&](std::string_view name, element values) {
      if (name != "values") return;
      each_element(values, name, [&](element value) {
        if (!std::exchange(first, false)) out_.push_back(',');
        write(value, depth + 1);
      });
    });
    out_.push_back(']');
  }
  void write_map(object holder, int depth) {
    std::multimap<std::string_view, std::optional<element>> entries;
    each_field(holder, [&](std::string_view name, element values) {
      if (name != "values") return;
      each_element(values, name, [&](element entry) {
        std::string_view key;
        std::optional<element> value;
        each_field(object_of(entry, "kvlistValue"), [&](std::string_view field, element of) {
          if (field == "key") key = string_of(of, field);
          if (field == "value") value = of;
        });
        entries.emplace(key, value);
      });
    });
    out_.push_back('{');
    bool first = true;
    for (const auto& [key, value] : entries) {
      if (!std::exchange(first, false)) out_.push_back(',');
      append_json_string(out_, key);
      out_.push_back(':');
      if (value) {
        write(*value, depth + 1);
      } else {
        out_ += "null";
      }
    }
    out_.push_back('}');
  }

  std::string& out_;
};

class Decoder {
 public:
  explicit Decoder(OtlpMetrics& out) : out_(out) {}

  void request(element root) {
    each_field(object_of(root, "the body"), [&](std::string_view name, element value) {
      if (name == "resourceMetrics")
        each_element(value, name, [&](element one) { resource_metrics(object_of(one, name)); });
    });
  }

 private:
  template <typename T>
  void add(std::vector<T>& list, const T& value) {
    hold(sizeof(T));
    list.push_back(value);
  }
  void hold(size_t bytes) {
    if (const auto held = out_.hold(bytes); !held) throw Refusal(held.error());
  }
  template <typename T>
  static uint32_t end_of(const std::vector<T>& list) {
    return static_cast<uint32_t>(list.size());
  }
  // The parser's own strings go with it.
  std::string_view kept(std::string_view text) {
    hold(sizeof(std::string) + text.size());
    return out_.texts.emplace_back(text);
  }

  void resource_metrics(object fields) {
    OtlpResource resource;
    resource.metrics = {end_of(out_.metrics), end_of(out_.metrics)};
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "resource") {
        resource.attributes.begin = resource.attributes.end = end_of(out_.attributes);
        each_field(object_of(value, name), [&](std::string_view field, element of) {
          if (field == "attributes") resource.attributes = attributes(of);
        });
      } else if (name == "scopeMetrics") {
        each_element(value, name, [&](element scope) { scope_metrics(object_of(scope, name)); });
      }
    });
    resource.metrics.end = end_of(out_.metrics);
    add(out_.resources, resource);
  }

  void scope_metrics(object fields) {
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "metrics")
        each_element(value, name, [&](element one) { metric(object_of(one, name)); });
    });
  }

  void metric(object fields) {
    OtlpMetric metric;
    metric.points = {end_of(out_.points), end_of(out_.points)};
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "name") {
        metric.name = kept(string_of(value, name));
      } else if (name == "description") {
        metric.description = kept(string_of(value, name));
      } else if (name == "unit") {
        metric.unit = kept(string_of(value, name));
      } else if (name == "gauge") {
        data(metric, OtlpKind::kGauge, object_of(value, name));
      } else if (name == "sum") {
        data(metric, OtlpKind::kSum, object_of(value, name));
      } else if (name == "histogram") {
        data(metric, OtlpKind::kHistogram, object_of(value, name));
      } else if (name == "exponentialHistogram") {
        data(metric, OtlpKind::kExponentialHistogram, object_of(value, name));
      } else if (name == "summary") {
        data(metric, OtlpKind::kSummary, object_of(value, name));
      }
    });
    metric.points.end = end_of(out_.points);
    add(out_.metrics, metric);
  }

  void data(OtlpMetric& metric, OtlpKind kind, object fields) {
    if (metric.kind != OtlpKind::kNone) metric.points.begin = end_of(out_.points);
    metric.kind = kind;
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "dataPoints") {
        each_element(value, name, [&](element one) { point(kind, object_of(one, name)); });
      } else if (name == "aggregationTemporality") {
        metric.temporality = temporality(value);
      } else if (name == "isMonotonic") {
        metric.monotonic = bool_of(value, name);
      }
    });
  }

  // Some senders write the enum's name, which the mapping of protobuf allows and OTLP's does not.
  static OtlpTemporality temporality(element value) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      if (text == "AGGREGATION_TEMPORALITY_DELTA") return OtlpTemporality::kDelta;
      if (text == "AGGREGATION_TEMPORALITY_CUMULATIVE") return OtlpTemporality::kCumulative;
      if (text == "AGGREGATION_TEMPORALITY_UNSPECIFIED") return OtlpTemporality::kUnspecified;
    }
    return otlp_temporality(integer_of<int64_t>(value, "aggregationTemporality"));
  }

  void point(OtlpKind kind, object fields) {
    OtlpPoint point;
    bounds_.clear();
    counts_.clear();
    point.attributes = {end_of(out_.attributes), end_of(out_.attributes)};
    const bool number = kind == OtlpKind::kGauge || kind == OtlpKind::kSum;
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "timeUnixNano") {
        point.time_ns = integer_of<uint64_t>(value, name);
      } else if (name == "flags") {
        point.flags = integer_of<uint64_t>(value, name);
      } else if (name == "attributes") {
        point.attributes = attributes(value);
      } else if (number) {
        number_field(point, name, value);
      } else {
        distribution_field(kind, point, name, value);
      }
    });
    if (kind == OtlpKind::kSummary) point.has_value = true;
    point.bounds = keep(bounds_);
    point.counts = keep(counts_);
    add(out_.points, point);
  }

  static void number_field(OtlpPoint& point, std::string_view name, element value) {
    if (name == "asDouble") {
      point.value = double_of(value, name);
    } else if (name == "asInt") {
      point.value = static_cast<double>(integer_of<int64_t>(value, name));
    } else {
      return;
    }
    point.has_value = true;
  }

  // A summary has no buckets and a histogram no quantiles: either list would lose its partner.
  void distribution_field(OtlpKind kind, OtlpPoint& point, std::string_view name, element value) {
    const bool summary = kind == OtlpKind::kSummary;
    if (name == "count") {
      point.count = static_cast<double>(integer_of<uint64_t>(value, name));
    } else if (name == "sum") {
      point.value = double_of(value, name);
      point.has_value = true;
    } else if (name == "bucketCounts" && !summary) {
      each_element(value, name, [&](element one) {
        counts_.push_back(static_cast<double>(integer_of<uint64_t>(one, name)));
      });
    } else if (name == "explicitBounds" && !summary) {
      each_element(value, name, [&](element one) { bounds_.push_back(double_of(one, name)); });
    } else if (name == "quantileValues" && summary) {
      each_element(value, name, [&](element one) { quantile(object_of(one, name)); });
    }
  }

  void quantile(object fields) {
    double at = 0;
    double of = 0;
    each_field(fields, [&](std::string_view name, element value) {
      if (name == "quantile") at = double_of(value, name);
      if (name == "value") of = double_of(value, name);
    });
    bounds_.push_back(at);
    counts_.push_back(of);
  }

  OtlpRange keep(const std::vector<double>& numbers) {
    OtlpRange range{end_of(out_.numbers), 0};
    for (const double number : numbers) add(out_.numbers, number);
    range.end = end_of(out_.numbers);
    return range;
  }

  OtlpRange attributes(element list) {
    OtlpRange range{end_of(out_.attributes), 0};
    each_element(list, "attributes", [&](element one) {
      OtlpAttribute attribute;
      each_field(object_of(one, "attribute"), [&](std::string_view name, element value) {
        if (name == "key") attribute.key = kept(string_of(value, name));
        if (name != "value") return;
        std::string text;
        ValueWriter(text).write(value, 0);
        attribute.value = kept(text);
      });
      add(out_.attributes, attribute);
    });
    range.end = end_of(out_.attributes);
    return range;
  }

  OtlpMetrics& out_;
  std::vector<double> bounds_;
  std::vector<double> counts_;
};

}  // namespace

Status decode_otlp_json(std::string_view body, OtlpMetrics& out) {
  if (body.empty()) return fail(Code::kInvalidArgument, "OTLP body: empty");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(body.data(), body.size()).get(root);
      error != simdjson::SUCCESS) {
    return fail(Code::kInvalidArgument,
                fmt::format("OTLP body: not JSON ({})", simdjson::error_message(error)));
  }
  try {
    Decoder(out).request(root);
  } catch (const Refusal& refusal) {
    return fail(refusal.error);
  }
  return {};
}

}  // namespace binnacle::collect::receive
