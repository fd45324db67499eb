// What the decoders of this room share over protozero: fields whose wire type is held to, and the
// sample, which is the same message in both versions of remote write. They throw, as protozero
// does, for anything malformed; each decoder catches that once.
#pragma once

#include <cstdint>
#include <exception>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "model/sample.h"

namespace binnacle::collect::receive {

struct WrongWireType : std::exception {
  const char* what() const noexcept override { return "a field of the wrong type"; }
};

inline void expect(const protozero::pbf_reader& field, protozero::pbf_wire_type type) {
  if (field.wire_type() != type) throw WrongWireType();
}

inline std::string_view view_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::length_delimited);
  const auto view = field.get_view();
  return {view.data(), view.size()};
}

inline protozero::pbf_reader reader_of(std::string_view bytes) {
  return protozero::pbf_reader(protozero::data_view(bytes.data(), bytes.size()));
}

inline double double_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::fixed64);
  return field.get_double();
}

inline int64_t varint_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::varint);
  return field.get_int64();
}

inline protozero::pbf_reader message_of(protozero::pbf_reader& field) {
  return reader_of(view_of(field));
}

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
