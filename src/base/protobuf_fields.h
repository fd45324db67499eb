// Fields of protobuf messages whose wire type is held to, over protozero, which only asserts it:
// what a peer sends is never trusted. They throw, as protozero does, for anything malformed; each
// decoder catches that once and answers an error. Any thread.
#pragma once

#include <cstdint>
#include <exception>
#include <protozero/pbf_reader.hpp>
#include <string_view>

namespace binnacle {

struct WrongWireType : std::exception {
  const char* what() const noexcept override { return "a field of the wrong type"; }
};

inline void expect(const protozero::pbf_reader& field, protozero::pbf_wire_type type) {
  if (field.wire_type() != type) throw WrongWireType();
}

// Of text, bytes, messages and packed numbers.
inline std::string_view view_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::length_delimited);
  const auto view = field.get_view();
  return {view.data(), view.size()};
}

inline protozero::pbf_reader reader_of(std::string_view bytes) {
  return protozero::pbf_reader(protozero::data_view(bytes.data(), bytes.size()));
}

inline protozero::pbf_reader message_of(protozero::pbf_reader& field) {
  return reader_of(view_of(field));
}

inline int64_t varint_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::varint);
  return field.get_int64();
}

inline double double_of(protozero::pbf_reader& field) {
  expect(field, protozero::pbf_wire_type::fixed64);
  return field.get_double();
}

}  // namespace binnacle
