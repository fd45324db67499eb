// OTLP metrics in protobuf. Field numbers: opentelemetry-proto, metrics/v1 and common/v1.
#include <fmt/format.h>

#include <exception>
#include <utility>

#include "collect/receive/otlp_metrics.h"
#include "collect/receive/otlp_protobuf_value.h"

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

uint64_t fixed64_of(pbf_reader& field) {
  expect(field, pbf_wire_type::fixed64);
  return field.get_fixed64();
}

class Decoder {
 public:
  explicit Decoder(OtlpMetrics& out) : out_(out) {}

  void request(pbf_reader fields) {
    while (fields.next()) {
      if (fields.tag() == 1) {
        resource_metrics(message_of(fields));
      } else {
        fields.skip();
      }
    }
  }

 private:
  template <typename T>
  uint32_t add(std::vector<T>& list, const T& value) {
    if (const auto held = out_.hold(sizeof(T)); !held) throw OtlpRefusal(held.error());
    list.push_back(value);
    return static_cast<uint32_t>(list.size());
  }
  template <typename T>
  static uint32_t end_of(const std::vector<T>& list) {
    return static_cast<uint32_t>(list.size());
  }

  void resource_metrics(pbf_reader fields) {
    OtlpResource resource;
    resource.metrics = {end_of(out_.metrics), end_of(out_.metrics)};
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          resource.attributes = attributes(message_of(fields), 1);
          break;
        case 2:
          scope_metrics(message_of(fields));
          break;
        default:
          fields.skip();
      }
    }
    resource.metrics.end = end_of(out_.metrics);
    add(out_.resources, resource);
  }

  void scope_metrics(pbf_reader fields) {
    while (fields.next()) {
      if (fields.tag() == 2) {
        metric(message_of(fields));
      } else {
        fields.skip();
      }
    }
  }

  void metric(pbf_reader fields) {
    OtlpMetric metric;
    metric.points = {end_of(out_.points), end_of(out_.points)};
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          metric.name = view_of(fields);
          break;
        case 2:
          metric.description = view_of(fields);
          break;
        case 3:
          metric.unit = view_of(fields);
          break;
        case 5:
          data(metric, OtlpKind::kGauge, message_of(fields));
          break;
        case 7:
          data(metric, OtlpKind::kSum, message_of(fields));
          break;
        case 9:
          data(metric, OtlpKind::kHistogram, message_of(fields));
          break;
        case 10:
          data(metric, OtlpKind::kExponentialHistogram, message_of(fields));
          break;
        case 11:
          data(metric, OtlpKind::kSummary, message_of(fields));
          break;
        default:
          fields.skip();
      }
    }
    metric.points.end = end_of(out_.points);
    add(out_.metrics, metric);
  }

  void data(OtlpMetric& metric, OtlpKind kind, pbf_reader fields) {
    // Of a oneof that stands twice, the last counts.
    if (metric.kind != OtlpKind::kNone) metric.points.begin = end_of(out_.points);
    metric.kind = kind;
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          point(kind, message_of(fields));
          break;
        case 2:
          metric.temporality = otlp_temporality(varint_of(fields));
          break;
        case 3:
          metric.monotonic = varint_of(fields) != 0;
          break;
        default:
          fields.skip();
      }
    }
  }

  void point(OtlpKind kind, pbf_reader fields) {
    OtlpPoint point;
    const uint32_t here = end_of(out_.attributes);
    point.attributes = {here, here};
    bounds_.clear();
    counts_.clear();
    while (fields.next()) {
      switch (kind) {
        case OtlpKind::kHistogram:
          histogram_field(point, fields);
          break;
        case OtlpKind::kSummary:
          summary_field(point, fields);
          break;
        case OtlpKind::kExponentialHistogram:
          exponential_field(point, fields);
          break;
        default:
          number_field(point, fields);
      }
    }
    point.attributes.end = end_of(out_.attributes);
    point.bounds = keep(bounds_);
    point.counts = keep(counts_);
    add(out_.points, point);
  }

  OtlpRange keep(const std::vector<double>& numbers) {
    OtlpRange range{end_of(out_.numbers), 0};
    for (const double number : numbers) add(out_.numbers, number);
    range.end = end_of(out_.numbers);
    return range;
  }

  void number_field(OtlpPoint& point, pbf_reader& field) {
    switch (field.tag()) {
      case 3:
        point.time_ns = fixed64_of(field);
        break;
      case 4:
        point.value = double_of(field);
        point.has_value = true;
        break;
      case 6:
        point.value = static_cast<double>(static_cast<int64_t>(fixed64_of(field)));
        point.has_value = true;
        break;
      case 7:
        attribute(view_of(field));
        break;
      case 8:
        point.flags = static_cast<uint64_t>(varint_of(field));
        break;
      default:
        field.skip();
    }
  }

  void histogram_field(OtlpPoint& point, pbf_reader& field) {
    switch (field.tag()) {
      case 3:
        point.time_ns = fixed64_of(field);
        break;
      case 4:
        point.count = static_cast<double>(fixed64_of(field));
        break;
      case 5:
        point.value = double_of(field);
        point.has_value = true;
        break;
      case 6:
        repeated(
            field, counts_, [](pbf_reader& one) { return static_cast<double>(fixed64_of(one)); },
            [](pbf_reader& all, std::vector<double>& to) {
              for (const uint64_t one : all.get_packed_fixed64())
                to.push_back(static_cast<double>(one));
            });
        break;
      case 7:
        repeated(field, bounds_, double_of, [](pbf_reader& all, std::vector<double>& to) {
          for (const double one : all.get_packed_double()) to.push_back(one);
        });
        break;
      case 9:
        attribute(view_of(field));
        break;
      case 10:
        point.flags = static_cast<uint64_t>(varint_of(field));
        break;
      default:
        field.skip();
    }
  }

  template <typename One, typename All>
  static void repeated(pbf_reader& field, std::vector<double>& to, One one, All all) {
    if (field.wire_type() == pbf_wire_type::length_delimited) {
      all(field, to);
    } else {
      to.push_back(one(field));
    }
  }

  void summary_field(OtlpPoint& point, pbf_reader& field) {
    switch (field.tag()) {
      case 3:
        point.time_ns = fixed64_of(field);
        break;
      case 4:
        point.count = static_cast<double>(fixed64_of(field));
        break;
      case 5:
        point.value = double_of(field);
        break;
      case 6:
        quantile(message_of(field));
        break;
      case 7:
        attribute(view_of(field));
        break;
      case 8:
        point.flags = static_cast<uint64_t>(varint_of(field));
        break;
      default:
        field.skip();
    }
    point.has_value = true;  // a summary's sum cannot be absent
  }

  void quantile(pbf_reader fields) {
    double at = 0;
    double value = 0;
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          at = double_of(fields);
          break;
        case 2:
          value = double_of(fields);
          break;
        default:
          fields.skip();
      }
    }
    bounds_.push_back(at);
    counts_.push_back(value);
  }

  // Only what it takes to count and name one.
  static void exponential_field(OtlpPoint& point, pbf_reader& field) {
    if (field.tag() == 3) {
      point.time_ns = fixed64_of(field);
    } else {
      field.skip();
    }
  }

  OtlpRange attributes(pbf_reader fields, uint32_t tag) {
    OtlpRange range{end_of(out_.attributes), 0};
    while (fields.next()) {
      if (fields.tag() == tag) {
        attribute(view_of(fields));
      } else {
        fields.skip();
      }
    }
    range.end = end_of(out_.attributes);
    return range;
  }

  void attribute(std::string_view key_value) {
    const auto [key, any_value] = otlp_key_value(reader_of(key_value));
    add(out_.attributes, {key, text_of(any_value)});
  }

  std::string_view text_of(std::string_view any_value) {
    pbf_reader only = reader_of(any_value);
    // Nearly all are plain strings, which need no copy.
    if (only.next() && only.tag() == 1) {
      const std::string_view text = view_of(only);
      if (!only.next()) return text;
    }
    std::string text;
    write_otlp_value(text, any_value);
    if (const auto held = out_.hold(sizeof(std::string) + text.size()); !held)
      throw OtlpRefusal(held.error());
    return out_.texts.emplace_back(std::move(text));
  }

  OtlpMetrics& out_;
  std::vector<double> bounds_;
  std::vector<double> counts_;
};

}  // namespace

Status decode_otlp_protobuf(std::string_view body, OtlpMetrics& out) {
  try {
    Decoder(out).request(reader_of(body));
  } catch (const OtlpRefusal& refusal) {
    return fail(refusal.error);
  } catch (const std::exception& broken) {
    return fail(Code::kInvalidArgument,
                fmt::format("OTLP body: not an ExportMetricsServiceRequest in protobuf ({})",
                            broken.what()));
  }
  return {};
}

}  // namespace binnacle::collect::receive
