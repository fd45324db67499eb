#include "collect/ship/write_encoder.h"

#include <snappy.h>

#include <bit>
#include <cstring>
#include <limits>
#include <protozero/pbf_writer.hpp>

namespace binnacle::collect::ship {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr char kTimeSeriesTag = 0x0A;  // field 1 of WriteRequest
constexpr char kSampleTag = 0x12;      // field 2 of TimeSeries
constexpr char kValueTag = 0x09;
constexpr char kTimestampTag = 0x10;

size_t varint_bytes(uint64_t v) { return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7; }

char* put_varint(char* to, uint64_t v) {
  for (; v >= 0x80; v >>= 7) *to++ = static_cast<char>((v & 0x7F) | 0x80);
  *to++ = static_cast<char>(v);
  return to;
}

size_t sample_message_bytes(const model::Sample& sample) {
  return 10 + varint_bytes(static_cast<uint64_t>(sample.timestamp_ms));
}

char* put_sample(char* to, const model::Sample& sample) {
  *to++ = kSampleTag;
  *to++ = static_cast<char>(sample_message_bytes(sample));  // at most 20
  *to++ = kValueTag;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(to, &sample.value, sizeof(double));
  to += sizeof(double);
  *to++ = kTimestampTag;
  return put_varint(to, static_cast<uint64_t>(sample.timestamp_ms));
}

}  // namespace

std::string label_fields(model::LabelsView labels) {
  std::string out;
  protozero::pbf_writer writer(out);
  for (const model::Label& label : labels) {
    protozero::pbf_writer one(writer, 1);
    one.add_string(1, label.name.data(), label.name.size());
    one.add_string(2, label.value.data(), label.value.size());
  }
  return out;
}

void WriteEncoder::chain(std::span<const QueuedSample> samples, size_t series) {
  if (chain_of_.size() < series) chain_of_.resize(series);
  next_.assign(samples.size(), kNone);
  chains_.clear();
  for (uint32_t i = 0; i < samples.size(); ++i) {
    uint32_t& of_series = chain_of_[samples[i].series];
    if (of_series == 0) {
      chains_.push_back({.series = samples[i].series, .first = i, .last = i});
      of_series = static_cast<uint32_t>(chains_.size());
    } else {
      Chain& chain = chains_[of_series - 1];
      next_[chain.last] = i;
      chain.last = i;
    }
    chains_[of_series - 1].bytes +=
        2 + static_cast<uint32_t>(sample_message_bytes(samples[i].sample));
  }
  for (const Chain& chain : chains_) chain_of_[chain.series] = 0;
}

std::string_view WriteEncoder::encode(std::span<const QueuedSample> samples,
                                      std::span<const std::string> fields_of) {
  chain(samples, fields_of.size());
  size_t total = 0;
  for (const Chain& chain : chains_) {
    const size_t message = fields_of[chain.series].size() + chain.bytes;
    total += 1 + varint_bytes(message) + message;
  }
  message_.resize(total);
  char* to = message_.data();
  for (const Chain& chain : chains_) {
    const std::string& fields = fields_of[chain.series];
    *to++ = kTimeSeriesTag;
    to = put_varint(to, fields.size() + chain.bytes);
    std::memcpy(to, fields.data(), fields.size());
    to += fields.size();
    for (uint32_t i = chain.first; i != kNone; i = next_[i]) to = put_sample(to, samples[i].sample);
  }
  return compress();
}

std::string_view WriteEncoder::encode(
    std::span<const std::pair<std::string, model::MetricMetadata>> metadata) {
  message_.clear();
  protozero::pbf_writer request(message_);
  for (const auto& [metric, words] : metadata) {
    protozero::pbf_writer one(request, 3);
    one.add_enum(1, static_cast<int32_t>(words.type));
    one.add_string(2, metric);
    one.add_string(4, words.help);
    one.add_string(5, words.unit);
  }
  return compress();
}

std::string_view WriteEncoder::compress() {
  compressed_.resize(snappy::MaxCompressedLength(message_.size()));
  size_t size = 0;
  snappy::RawCompress(message_.data(), message_.size(), compressed_.data(), &size);
  return std::string_view(compressed_).substr(0, size);
}

}  // namespace binnacle::collect::ship
