// What the decoders of this room share over base/protobuf_fields.h: the sample, which is the same
// message in both versions of remote write. They throw, as protozero does, for anything malformed.
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "base/protobuf_fields.h"
#include "model/sample.h"

namespace binnacle::collect::receive {

// How many bytes the fields with that one-byte tag and a length of one byte take from the beginning
// on: labels are passed over by the million, and nearly all look like that. What is left, odd or
// malformed, is for a reader.
inline size_t leading_fields(std::string_view bytes, uint8_t tag) {
  size_t at = 0;
  while (at + 2 <= bytes.size() && static_cast<uint8_t>(bytes[at]) == tag) {
    const auto length = static_cast<uint8_t>(bytes[at + 1]);
    if (length >= 0x80 || bytes.size() - at - 2 < length) break;
    at += 2U + length;
  }
  return at;
}

inline model::Sample decode_sample(protozero::pbf_reader fields) {
  enum : uint32_t { kValue = 1, kTimestamp = 2 };
  model::Sample sample;
  while (fields.next()) {
    switch (fields.tag()) {
      case kValue:
        expect(fields, protozero::pbf_wire_type::fixed64);
        sample.value = fields.get_double();
        break;
      case kTimestamp:
        expect(fields, protozero::pbf_wire_type::varint);
        sample.timestamp_ms = fields.get_int64();
        break;
      default:
        fields.skip();
    }
  }
  return sample;
}

// An unknown type of a newer sender is no reason to refuse its samples.
inline model::MetricType decode_metric_type(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::varint);
  const int64_t number = field.get_enum();
  const bool known = number >= 0 && number <= static_cast<int>(model::MetricType::kStateset);
  return known ? static_cast<model::MetricType>(number) : model::MetricType::kUnknown;
}

}  // namespace binnacle::collect::receive
