// For tests: OTLP bodies in protobuf, built by protozero's writer as a sender builds them.
#pragma once

#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::collect::receive {

// One message that is being written; nested ones are written first.
class OtlpMessage {
 public:
  OtlpMessage& text(uint32_t tag, std::string_view value) {
    protozero::pbf_writer(bytes_).add_string(tag, std::string(value));
    return *this;
  }
  OtlpMessage& number(uint32_t tag, double value) {
    protozero::pbf_writer(bytes_).add_double(tag, value);
    return *this;
  }
  OtlpMessage& fixed(uint32_t tag, int64_t value) {
    protozero::pbf_writer(bytes_).add_sfixed64(tag, value);
    return *this;
  }
  OtlpMessage& varint(uint32_t tag, int64_t value) {
    protozero::pbf_writer(bytes_).add_int64(tag, value);
    return *this;
  }
  OtlpMessage& message(uint32_t tag, const OtlpMessage& value) {
    protozero::pbf_writer(bytes_).add_message(tag, value.bytes_);
    return *this;
  }
  OtlpMessage& packed_fixed(uint32_t tag, const std::vector<uint64_t>& values) {
    protozero::pbf_writer(bytes_).add_packed_fixed64(tag, values.begin(), values.end());
    return *this;
  }
  OtlpMessage& packed_numbers(uint32_t tag, const std::vector<double>& values) {
    protozero::pbf_writer(bytes_).add_packed_double(tag, values.begin(), values.end());
    return *this;
  }
  // A KeyValue of a string.
  OtlpMessage& attribute(uint32_t tag, std::string_view key, std::string_view value) {
    return message(tag, OtlpMessage().text(1, key).message(2, OtlpMessage().text(1, value)));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// An ExportMetricsServiceRequest of one resource and one scope.
inline std::string otlp_body(const OtlpMessage& resource, const std::vector<OtlpMessage>& metrics) {
  OtlpMessage scope;
  for (const OtlpMessage& metric : metrics) scope.message(2, metric);
  OtlpMessage all;
  all.message(1, OtlpMessage().message(1, resource).message(2, scope));
  return all.bytes();
}

}  // namespace binnacle::collect::receive
