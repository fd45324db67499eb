#include "collect/receive/write_request.h"

#include <fmt/format.h>

#include <exception>
#include <limits>
#include <protozero/pbf_reader.hpp>

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

namespace write_request_field {
enum : uint32_t { kTimeSeries = 1, kMetadata = 3 };
}
namespace time_series_field {
enum : uint32_t { kLabel = 1, kSample = 2, kExemplar = 3, kHistogram = 4 };
}
namespace sample_field {
enum : uint32_t { kValue = 1, kTimestamp = 2 };
}
namespace metadata_field {
enum : uint32_t { kType = 1, kMetric = 2, kHelp = 4, kUnit = 5 };
}

// Thrown inside this file alone, as protozero throws its own.
struct WrongType : std::exception {
  const char* what() const noexcept override { return "a field of the wrong type"; }
};

void expect(const pbf_reader& field, pbf_wire_type type) {
  if (field.wire_type() != type) throw WrongType();
}

std::string_view view_of(pbf_reader& field) {
  expect(field, pbf_wire_type::length_delimited);
  const auto view = field.get_view();
  return {view.data(), view.size()};
}

pbf_reader reader_of(std::string_view bytes) {
  return pbf_reader(protozero::data_view(bytes.data(), bytes.size()));
}

model::Sample decode_sample(pbf_reader fields) {
  model::Sample sample;
  while (fields.next()) {
    switch (fields.tag()) {
      case sample_field::kValue:
        expect(fields, pbf_wire_type::fixed64);
        sample.value = fields.get_double();
        break;
      case sample_field::kTimestamp:
        expect(fields, pbf_wire_type::varint);
        sample.timestamp_ms = fields.get_int64();
        break;
      default:
        fields.skip();
    }
  }
  return sample;
}

// An unknown type of a newer sender is no reason to refuse its samples.
model::MetricType metric_type(int64_t number) {
  const bool known = number >= 0 && number <= static_cast<int>(model::MetricType::kStateset);
  return known ? static_cast<model::MetricType>(number) : model::MetricType::kUnknown;
}

MetadataEntry decode_metadata(pbf_reader fields) {
  MetadataEntry entry;
  while (fields.next()) {
    switch (fields.tag()) {
      case metadata_field::kType:
        expect(fields, pbf_wire_type::varint);
        entry.type = metric_type(fields.get_enum());
        break;
      case metadata_field::kMetric:
        entry.metric = view_of(fields);
        break;
      case metadata_field::kHelp:
        entry.help = view_of(fields);
        break;
      case metadata_field::kUnit:
        entry.unit = view_of(fields);
        break;
      default:
        fields.skip();
    }
  }
  return entry;
}

}  // namespace

class WriteRequestDecoder {
 public:
  explicit WriteRequestDecoder(WriteRequest& out) : out_(out) {}

  void decode(std::string_view body) {
    pbf_reader fields = reader_of(body);
    while (fields.next()) {
      switch (fields.tag()) {
        case write_request_field::kTimeSeries:
          decode_series(view_of(fields));
          break;
        case write_request_field::kMetadata:
          out_.metadata.push_back(decode_metadata(reader_of(view_of(fields))));
          break;
        default:
          fields.skip();
      }
    }
  }

 private:
  void decode_series(std::string_view bytes) {
    SeriesEntry entry;
    entry.first_sample = static_cast<uint32_t>(out_.samples.size());
    pbf_reader fields = reader_of(bytes);
    const char* field_begin = bytes.data();
    while (fields.next()) {
      switch (fields.tag()) {
        case time_series_field::kLabel:
          view_of(fields);
          add_label(entry, {field_begin, static_cast<size_t>(fields.data().data() - field_begin)});
          break;
        case time_series_field::kSample:
          out_.samples.push_back(decode_sample(reader_of(view_of(fields))));
          break;
        case time_series_field::kExemplar:
          view_of(fields);
          ++entry.exemplar_count;
          break;
        case time_series_field::kHistogram:
          view_of(fields);
          ++entry.histogram_count;
          break;
        default:
          fields.skip();
      }
      field_begin = fields.data().data();
    }
    entry.sample_count = static_cast<uint32_t>(out_.samples.size()) - entry.first_sample;
    out_.series.push_back(entry);
  }

  // Senders write the labels of a series one after the other; then the bytes are one view.
  void add_label(SeriesEntry& entry, std::string_view field) {
    std::string_view& all = entry.label_bytes;
    if (all.empty()) {
      all = field;
    } else if (all.data() + all.size() == field.data()) {
      all = {all.data(), all.size() + field.size()};
    } else {
      const bool last_is_own =
          !out_.gathered_.empty() && all.data() == out_.gathered_.back().data();
      if (!last_is_own) out_.gathered_.emplace_back(all);
      all = out_.gathered_.back().append(field);
    }
  }

  WriteRequest& out_;
};

Status WriteRequest::decode(std::string_view body) {
  series.clear();
  samples.clear();
  metadata.clear();
  gathered_.clear();
  if (body.size() > std::numeric_limits<uint32_t>::max())
    return fail(Code::kResourceExhausted, "protobuf body: 4 GiB or more");
  try {
    WriteRequestDecoder(*this).decode(body);
  } catch (const std::exception& error) {  // protozero's only way to say so
    return fail(Code::kInvalidArgument, fmt::format("protobuf body: {}", error.what()));
  }
  return {};
}

}  // namespace binnacle::collect::receive
