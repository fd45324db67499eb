#include "collect/receive/write_request.h"

#include <fmt/format.h>

#include <exception>
#include <limits>

#include "collect/receive/protobuf_fields.h"

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;

namespace write_request_field {
enum : uint32_t { kTimeSeries = 1, kMetadata = 3 };
}
namespace time_series_field {
enum : uint32_t { kLabel = 1, kSample = 2, kExemplar = 3, kHistogram = 4 };
}
constexpr uint8_t kLabelTag = time_series_field::kLabel << 3 | 2;  // length-delimited
namespace metadata_field {
enum : uint32_t { kType = 1, kMetric = 2, kHelp = 4, kUnit = 5 };
}

MetadataEntry decode_metadata(pbf_reader fields) {
  MetadataEntry entry;
  while (fields.next()) {
    switch (fields.tag()) {
      case metadata_field::kType:
        entry.type = decode_metric_type(fields);
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
    const size_t labels = leading_fields(bytes, kLabelTag);
    entry.label_bytes = bytes.substr(0, labels);
    pbf_reader fields = reader_of(bytes.substr(labels));
    const char* field_begin = bytes.data() + labels;
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

void WriteRequest::clear() {
  series.clear();
  samples.clear();
  metadata.clear();
  gathered_.clear();
  written_.clear();
}

Status WriteRequest::decode(std::string_view body) {
  clear();
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
