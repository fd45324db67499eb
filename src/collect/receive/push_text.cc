#include "collect/receive/push_text.h"

#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <limits>
#include <vector>

#include "base/float_text.h"
#include "collect/receive/protobuf_fields.h"
#include "collect/receive/push_json.h"
#include "net/http.h"

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out.push_back('\\');
      out.push_back(c);
    } else {
      out.push_back(c);
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  append_escaped(out, text, true);
  out.push_back('"');
}

// Names outside the old grammar stand in quotes between the braces.
void append_name(std::string& out, std::string_view name) {
  if (model::is_legacy_metric_name(name)) {
    out += name;
  } else {
    append_quoted(out, name);
  }
}

double count_of(pbf_reader& field) {
  return static_cast<double>(static_cast<uint64_t>(varint_of(field)));
}

model::MetricType type_of(int64_t number) {
  switch (number) {
    case 0:
      return model::MetricType::kCounter;
    case 1:
      return model::MetricType::kGauge;
    case 2:
      return model::MetricType::kSummary;
    case 4:
    case 5:
      return model::MetricType::kHistogram;
    default:
      return model::MetricType::kUnknown;
  }
}

// The one double of a Gauge, Counter or Untyped.
double value_of(pbf_reader fields) {
  double value = 0;
  while (fields.next()) {
    if (fields.tag() == 1) {
      value = double_of(fields);
    } else {
      fields.skip();
    }
  }
  return value;
}

struct Pair {
  double first = 0;   // upper bound, quantile
  double second = 0;  // cumulative count, value
};

// A Summary's quantile: 1 and 2 are doubles. A Histogram's bucket: 1 is the count, 2 the bound, 4
// the count of a float histogram.
Pair pair_of(pbf_reader fields, bool bucket) {
  Pair pair;
  while (fields.next()) {
    if (fields.tag() == 1 && bucket) {
      pair.second = count_of(fields);
    } else if (fields.tag() == 1) {
      pair.first = double_of(fields);
    } else if (fields.tag() == 2) {
      (bucket ? pair.first : pair.second) = double_of(fields);
    } else if (fields.tag() == 4 && bucket) {
      pair.second = double_of(fields);
    } else {
      fields.skip();
    }
  }
  return pair;
}

struct Distribution {
  double count = 0;
  double sum = 0;
  std::vector<Pair> parts;
};

Distribution distribution_of(pbf_reader fields, bool histogram) {
  Distribution out;
  while (fields.next()) {
    switch (fields.tag()) {
      case 1:
        out.count = count_of(fields);
        break;
      case 2:
        out.sum = double_of(fields);
        break;
      case 3:
        out.parts.push_back(pair_of(reader_of(view_of(fields)), histogram));
        break;
      case 4:
        if (histogram) {
          out.count = double_of(fields);
        } else {
          fields.skip();
        }
        break;
      default:
        fields.skip();
    }
  }
  return out;
}

class FamilyText {
 public:
  FamilyText(std::string& out, size_t max_bytes) : out_(out), max_bytes_(max_bytes) {}

  Status write(pbf_reader fields) {
    std::string_view name;
    model::MetricMetadata metadata{model::MetricType::kCounter, "", ""};  // what 0 stands for
    std::vector<std::string_view> metrics;
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          name = view_of(fields);
          break;
        case 2:
          metadata.help = view_of(fields);
          break;
        case 3:
          metadata.type = type_of(varint_of(fields));
          break;
        case 4:
          metrics.push_back(view_of(fields));
          break;
        default:
          fields.skip();
      }
    }
    if (name.empty()) return fail(Code::kInvalidArgument, "push: a metric family without a name");
    append_push_text(out_, name, metadata);
    for (const std::string_view metric : metrics) TRY(write_metric(name, reader_of(metric)));
    return {};
  }

 private:
  Status write_metric(std::string_view name, pbf_reader fields) {
    labels_.reset();
    std::vector<std::pair<uint32_t, std::string_view>> values;
    while (fields.next()) {
      if (fields.tag() == 1) {
        add_label(reader_of(view_of(fields)));
      } else if (fields.tag() == 6) {
        return fail(Code::kInvalidArgument,
                    "push: a time stamp: pushed metrics carry none, as "
                    "they are repeated at each interval");
      } else if (fields.tag() <= 7) {
        values.emplace_back(fields.tag(), view_of(fields));
      } else {
        fields.skip();
      }
    }
    for (const auto& [tag, value] : values) TRY(write_value(name, tag, reader_of(value)));
    return {};
  }

  void add_label(pbf_reader fields) {
    std::string_view name;
    std::string_view value;
    while (fields.next()) {
      if (fields.tag() == 1) {
        name = view_of(fields);
      } else if (fields.tag() == 2) {
        value = view_of(fields);
      } else {
        fields.skip();
      }
    }
    labels_.set(name, value);
  }

  Status write_value(std::string_view name, uint32_t tag, pbf_reader value) {
    if (tag == 2 || tag == 3 || tag == 5) return put(name, "", {}, 0, value_of(value));
    const bool histogram = tag == 7;
    const Distribution all = distribution_of(value, histogram);
    bool has_infinite = false;
    for (const Pair& part : all.parts) {
      has_infinite = has_infinite || (histogram && std::isinf(part.first) && part.first > 0);
      TRY(put(name, histogram ? "_bucket" : "", histogram ? "le" : "quantile", part.first,
              part.second));
    }
    if (histogram && !has_infinite)
      TRY(put(name, "_bucket", "le", std::numeric_limits<double>::infinity(), all.count));
    TRY(put(name, "_sum", {}, 0, all.sum));
    return put(name, "_count", {}, 0, all.count);
  }

  Status put(std::string_view name, std::string_view suffix, std::string_view label, double at,
             double value) {
    labels_.set(model::kMetricName, fmt::format("{}{}", name, suffix));
    if (!label.empty()) {
      std::string text;
      append_float_text(text, at);
      labels_.set(label, text);
    }
    append_push_text(out_, labels_.build(), value);
    if (!label.empty()) labels_.remove(label);
    if (out_.size() <= max_bytes_) return {};
    return fail(
        Code::kResourceExhausted,
        fmt::format("push: more than {} bytes as text (collect.push.max_bytes)", max_bytes_));
  }

  std::string& out_;
  const size_t max_bytes_;
  model::LabelsBuilder labels_;
};

}  // namespace

void append_push_text(std::string& out, std::string_view family,
                      const model::MetricMetadata& metadata) {
  if (!metadata.help.empty()) {
    out += "# HELP ";
    append_name(out, family);
    out.push_back(' ');
    append_escaped(out, metadata.help, false);
    out.push_back('\n');
  }
  out += "# TYPE ";
  append_name(out, family);
  out += fmt::format(" {}\n", push_type_name(metadata.type));
}

void append_push_text(std::string& out, model::LabelsView labels, double number) {
  const std::string_view metric = labels.metric_name();
  const bool legacy = model::is_legacy_metric_name(metric);
  if (legacy) out += metric;
  out.push_back('{');
  if (!legacy) append_quoted(out, metric);
  bool first = legacy;
  for (const auto& [name, value] : labels) {
    if (name == model::kMetricName) continue;
    if (!first) out.push_back(',');
    first = false;
    if (model::is_legacy_label_name(name)) {
      out += name;
    } else {
      append_quoted(out, name);
    }
    out.push_back('=');
    append_quoted(out, value);
  }
  out += "} ";
  append_float_text(out, number);
  out.push_back('\n');
}

bool is_push_protobuf(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return net::equal_ignoring_case(type, "application/vnd.google.protobuf");
}

Result<std::string> push_text_of_protobuf(std::string_view body, size_t max_bytes) {
  std::string out;
  FamilyText text(out, max_bytes);
  try {
    const char* at = body.data();
    const char* const end = at + body.size();
    while (at != end) {
      const uint64_t length = protozero::decode_varint(&at, end);
      if (length > static_cast<uint64_t>(end - at))
        return fail(Code::kInvalidArgument, "push: a metric family that is cut short");
      TRY(text.write(reader_of({at, static_cast<size_t>(length)})));
      at += length;
    }
  } catch (const std::exception& broken) {
    return fail(Code::kInvalidArgument,
                fmt::format("push: not delimited MetricFamily messages ({})", broken.what()));
  }
  return out;
}

}  // namespace binnacle::collect::receive
