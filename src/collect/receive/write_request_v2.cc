// Remote write 2.0 (io.prometheus.write.v2.Request): labels are numbers into a table of strings
// that each body brings along. They are written out as the label fields of version 1.0, so that one
// cache and one check serve both. Source: "Prometheus Remote-Write 2.0" specification.
#include <fmt/format.h>

#include <exception>
#include <limits>
#include <optional>

#include "collect/receive/protobuf_fields.h"
#include "collect/receive/write_request.h"
#include "model/labels.h"

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

namespace request_field {
enum : uint32_t { kSymbol = 4, kTimeSeries = 5 };
}
namespace time_series_field {
enum : uint32_t { kLabelRefs = 1, kSample = 2, kHistogram = 3, kExemplar = 4, kMetadata = 5 };
}
namespace metadata_field {
enum : uint32_t { kType = 1, kHelpRef = 3, kUnitRef = 4 };
}

struct Malformed : std::exception {
  explicit Malformed(const char* why) : text(why) {}
  const char* what() const noexcept override { return text; }
  const char* const text;
};

// A short body may name a long symbol many times.
struct TooLarge : std::exception {};

size_t varint_bytes(size_t n) {
  size_t bytes = 1;
  for (; n >= 0x80; n >>= 7) ++bytes;
  return bytes;
}

void append_varint(std::string& out, size_t n) {
  for (; n >= 0x80; n >>= 7) out.push_back(static_cast<char>(n | 0x80));
  out.push_back(static_cast<char>(n));
}

void append_field(std::string& out, char tag, std::string_view text) {
  out.push_back(tag);
  append_varint(out, text.size());
  out += text;
}

// field 1 of a TimeSeries: a Label, whose field 1 is the name and field 2 the value.
void append_label_field(std::string& out, std::string_view name, std::string_view value) {
  constexpr char kFirst = 0x0a, kSecond = 0x12;
  out.push_back(kFirst);
  append_varint(
      out, 2 + varint_bytes(name.size()) + name.size() + varint_bytes(value.size()) + value.size());
  append_field(out, kFirst, name);
  append_field(out, kSecond, value);
}

}  // namespace

class WriteRequestV2Decoder {
 public:
  WriteRequestV2Decoder(WriteRequest& out, size_t max_label_bytes)
      : out_(out), max_label_bytes_(max_label_bytes) {}

  void decode(std::string_view body) {
    // Nothing says that the table comes first.
    pbf_reader symbols = reader_of(body);
    while (symbols.next()) {
      if (symbols.tag() == request_field::kSymbol) {
        symbols_.push_back(view_of(symbols));
      } else {
        symbols.skip();
      }
    }
    pbf_reader series = reader_of(body);
    while (series.next()) {
      if (series.tag() == request_field::kTimeSeries) {
        decode_series(view_of(series));
      } else {
        series.skip();
      }
    }
    // Only now do the written labels stay where they are.
    size_t begin = 0;
    for (size_t i = 0; i < out_.series.size(); ++i) {
      out_.series[i].label_bytes = std::string_view(out_.written_).substr(begin, ends_[i] - begin);
      begin = ends_[i];
    }
  }

 private:
  std::string_view symbol(uint64_t ref) const {
    if (ref >= symbols_.size()) throw Malformed("a reference beyond the symbols");
    return symbols_[ref];
  }

  void decode_series(std::string_view bytes) {
    SeriesEntry entry;
    entry.first_sample = static_cast<uint32_t>(out_.samples.size());
    std::string_view metric;
    std::optional<std::string_view> metadata;
    pbf_reader fields = reader_of(bytes);
    while (fields.next()) {
      switch (fields.tag()) {
        case time_series_field::kLabelRefs:
          metric = write_labels(fields);
          break;
        case time_series_field::kSample:
          out_.samples.push_back(decode_sample(reader_of(view_of(fields))));
          break;
        case time_series_field::kHistogram:
          view_of(fields);
          ++entry.histogram_count;
          break;
        case time_series_field::kExemplar:
          view_of(fields);
          ++entry.exemplar_count;
          break;
        case time_series_field::kMetadata:
          metadata = view_of(fields);
          break;
        default:
          fields.skip();
      }
    }
    entry.sample_count = static_cast<uint32_t>(out_.samples.size()) - entry.first_sample;
    out_.series.push_back(entry);
    ends_.push_back(out_.written_.size());
    if (metadata && !metric.empty()) add_metadata(metric, *metadata);
  }

  // The metric's name, or nothing.
  std::string_view write_labels(pbf_reader& fields) {
    expect(fields, pbf_wire_type::length_delimited);
    std::string_view metric;
    const auto refs = fields.get_packed_uint32();
    for (auto ref = refs.begin(); ref != refs.end(); ++ref) {
      const std::string_view name = symbol(*ref);
      if (++ref == refs.end()) throw Malformed("a label name without a value");
      const std::string_view value = symbol(*ref);
      if (out_.written_.size() + name.size() + value.size() > max_label_bytes_) throw TooLarge();
      append_label_field(out_.written_, name, value);
      if (name == model::kMetricName) metric = value;
    }
    return metric;
  }

  // Every series of a metric brings the same words; those of one metric mostly come in a row.
  void add_metadata(std::string_view metric, std::string_view bytes) {
    MetadataEntry entry;
    entry.metric = metric;
    pbf_reader fields = reader_of(bytes);
    while (fields.next()) {
      switch (fields.tag()) {
        case metadata_field::kType:
          entry.type = decode_metric_type(fields);
          break;
        case metadata_field::kHelpRef:
          expect(fields, pbf_wire_type::varint);
          entry.help = symbol(fields.get_uint32());
          break;
        case metadata_field::kUnitRef:
          expect(fields, pbf_wire_type::varint);
          entry.unit = symbol(fields.get_uint32());
          break;
        default:
          fields.skip();
      }
    }
    const bool says_nothing =
        entry.type == model::MetricType::kUnknown && entry.help.empty() && entry.unit.empty();
    const bool repeats = !out_.metadata.empty() && out_.metadata.back().metric == metric;
    if (!says_nothing && !repeats) out_.metadata.push_back(entry);
  }

  WriteRequest& out_;
  const size_t max_label_bytes_;
  std::vector<std::string_view> symbols_;
  std::vector<size_t> ends_;  // of each series' labels in out_.written_
};

Status WriteRequest::decode_v2(std::string_view body, size_t max_label_bytes) {
  clear();
  if (body.size() > std::numeric_limits<uint32_t>::max())
    return fail(Code::kResourceExhausted, "protobuf body: 4 GiB or more");
  try {
    WriteRequestV2Decoder(*this, max_label_bytes).decode(body);
  } catch (const TooLarge&) {
    return fail(Code::kResourceExhausted,
                fmt::format("protobuf body: its labels written out are larger than {} bytes "
                            "(collect.receive.max_body_bytes)",
                            max_label_bytes));
  } catch (const std::exception& error) {  // protozero's only way to say so
    return fail(Code::kInvalidArgument, fmt::format("protobuf body: {}", error.what()));
  }
  return {};
}

}  // namespace binnacle::collect::receive
