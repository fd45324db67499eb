#include "collect/receive/write_request.h"

#include <fmt/format.h>

#include <cstring>
#include <exception>
#include <limits>
#include <utility>

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

// The end of a series as senders write it: one sample, its value (left out where it is 0) before
// its time, which has six bytes in the years 1971 to 2109.
constexpr size_t kSampleBytes = 18;
constexpr size_t kSampleBytesWithoutValue = 9;
constexpr size_t kTimeBytes = 8;  // the byte before, the tag and the time

uint64_t last_word(std::string_view bytes) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + bytes.size() - sizeof(word), sizeof(word));
  return word;
}

bool is_time(uint64_t word) { return (word & 0x80808080'8080FF00) == 0x00808080'80801000; }

int64_t time_of(uint64_t word) {
  int64_t ms = 0;
  for (unsigned i = 0; i < 6; ++i) ms |= static_cast<int64_t>(word >> (16 + 8 * i) & 0x7F) << 7 * i;
  return ms;
}

// How many bytes the sample takes that `bytes` seem to end with; 0 when they end otherwise or
// another one seems to stand before it.
size_t last_sample(std::string_view bytes) {
  if (bytes.size() < kSampleBytes + kTimeBytes) return 0;
  if (!is_time(last_word(bytes))) return 0;
  size_t size = 0;
  if (bytes.substr(bytes.size() - kSampleBytes).starts_with("\x12\x10\x09")) {
    size = kSampleBytes;
  } else if (bytes.substr(bytes.size() - kSampleBytesWithoutValue).starts_with("\x12\x07")) {
    size = kSampleBytesWithoutValue;
  } else {
    return 0;
  }
  return is_time(last_word(bytes.substr(0, bytes.size() - size))) ? 0 : size;
}

}  // namespace

class WriteRequestDecoder {
 public:
  WriteRequestDecoder(WriteRequest& out, bool guess) : out_(out), guess_(guess) {}

  void decode(std::string_view body) {
    pbf_reader fields = reader_of(body);
    while (fields.next()) {
      switch (fields.tag()) {
        case write_request_field::kTimeSeries:
          add_series(view_of(fields));
          break;
        case write_request_field::kMetadata:
          out_.metadata.push_back(decode_metadata(reader_of(view_of(fields))));
          break;
        default:
          fields.skip();
      }
    }
  }

  void decode_series(std::string_view bytes, SeriesEntry& entry) {
    entry = {};
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
  }

 private:
  void add_series(std::string_view bytes) {
    SeriesEntry& entry = out_.series.emplace_back();
    const size_t behind = guess_ ? last_sample(bytes) : 0;
    if (behind == 0) return decode_series(bytes, entry);
    entry.label_bytes = bytes.substr(0, bytes.size() - behind);
    entry.guessed_behind = static_cast<uint32_t>(behind);
    entry.first_sample = static_cast<uint32_t>(out_.samples.size());
    entry.sample_count = 1;
    model::Sample& sample = out_.samples.emplace_back();
    sample.timestamp_ms = time_of(last_word(bytes));
    if (behind == kSampleBytes)
      std::memcpy(&sample.value, bytes.data() + bytes.size() - behind + 3, sizeof(sample.value));
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
  const bool guess_;
};

namespace {

// protozero's only way to say that bytes are malformed is to throw.
template <typename Decode>
Status caught(const Decode& decode) {
  try {
    decode();
  } catch (const std::exception& error) {
    return fail(Code::kInvalidArgument, fmt::format("protobuf body: {}", error.what()));
  }
  return {};
}

}  // namespace

void WriteRequest::clear() {
  series.clear();
  samples.clear();
  metadata.clear();
  gathered_.clear();
  written_.clear();
}

Status WriteRequest::decode(std::string_view body) { return decode(body, false); }
Status WriteRequest::decode_by_guess(std::string_view body) { return decode(body, true); }

Status WriteRequest::decode(std::string_view body, bool guess) {
  clear();
  if (body.size() > std::numeric_limits<uint32_t>::max())
    return fail(Code::kResourceExhausted, "protobuf body: 4 GiB or more");
  return caught([&] { WriteRequestDecoder(*this, guess).decode(body); });
}

Status WriteRequest::settle(size_t which) {
  SeriesEntry& entry = series[which];
  const std::string_view guess = entry.label_bytes;
  const size_t behind = std::exchange(entry.guessed_behind, 0);
  if (behind == 0 || leading_fields(guess, kLabelTag) == guess.size()) return {};
  // What it holds of samples goes behind all others; the guessed one stays there unused.
  return caught([&] {
    WriteRequestDecoder(*this, false).decode_series({guess.data(), guess.size() + behind}, entry);
  });
}

}  // namespace binnacle::collect::receive
