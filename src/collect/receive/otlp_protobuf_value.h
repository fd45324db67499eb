// What the parts of OTLP's protobuf decoder share: a KeyValue taken apart, an AnyValue as
// text. They throw what decode_otlp_protobuf() catches. Source:
// common/v1/common.proto.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "collect/receive/protobuf_fields.h"

namespace binnacle::collect::receive {

// Carries an Error through the decoder, which reports by exceptions as protozero does.
struct OtlpRefusal final : std::exception {
  explicit OtlpRefusal(Error e) : error(std::move(e)) {}
  const char* what() const noexcept override { return error.message.c_str(); }
  Error error;
};

// Views of the message's bytes; the value is an AnyValue.
std::pair<std::string_view, std::string_view> otlp_key_value(protozero::pbf_reader fields);

// Within arrays and maps, strings stand in quotes: the whole is JSON then.
void write_otlp_value(std::string& out, std::string_view any_value);

}  // namespace binnacle::collect::receive
