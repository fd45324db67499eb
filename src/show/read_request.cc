#include "show/read_request.h"

#include <optional>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/protobuf_fields.h"

namespace binnacle::show {
namespace {

// Field numbers.
constexpr protozero::pbf_tag_type kRequestQueries = 1;
constexpr protozero::pbf_tag_type kRequestAccepted = 2;
constexpr protozero::pbf_tag_type kQueryStart = 1;
constexpr protozero::pbf_tag_type kQueryEnd = 2;
constexpr protozero::pbf_tag_type kQueryMatchers = 3;
constexpr protozero::pbf_tag_type kMatcherType = 1;
constexpr protozero::pbf_tag_type kMatcherName = 2;
constexpr protozero::pbf_tag_type kMatcherValue = 3;

constexpr int32_t kSamples = 0;
constexpr int32_t kStreamedXorChunks = 1;
constexpr int32_t kMostMatchType = 3;  // EQ, NEQ, RE, NRE

Result<model::Matcher> decode_matcher(protozero::pbf_reader message) {
  int32_t type = 0;
  std::string name, value;
  while (message.next()) {
    if (message.tag() == kMatcherType) {
      type = static_cast<int32_t>(varint_of(message));
    } else if (message.tag() == kMatcherName) {
      name = view_of(message);
    } else if (message.tag() == kMatcherValue) {
      value = view_of(message);
    } else {
      message.skip();
    }
  }
  if (type < 0 || type > kMostMatchType)
    return fail(Code::kInvalidArgument, fmt::format("invalid matcher type ({})", type));
  return model::Matcher::create(static_cast<model::MatchOp>(type), std::move(name),
                                std::move(value));
}

Result<ReadQuery> decode_query(protozero::pbf_reader message) {
  ReadQuery query;
  while (message.next()) {
    if (message.tag() == kQueryStart) {
      query.start_ms = varint_of(message);
    } else if (message.tag() == kQueryEnd) {
      query.end_ms = varint_of(message);
    } else if (message.tag() == kQueryMatchers) {
      TRY_ASSIGN(model::Matcher matcher, decode_matcher(message_of(message)));
      query.matchers.push_back(std::move(matcher));
    } else {
      message.skip();
    }
  }
  return query;
}

// The first kind of the list that we know; without a list, samples.
Result<bool> wants_stream(const std::vector<int32_t>& accepted) {
  if (accepted.empty()) return false;
  for (const int32_t type : accepted) {
    if (type == kSamples || type == kStreamedXorChunks) return type == kStreamedXorChunks;
  }
  return fail(Code::kInvalidArgument,
              fmt::format("server does not support any of the requested response types: {}; "
                          "supported: SAMPLES (0), STREAMED_XOR_CHUNKS (1)",
                          accepted));
}

Result<ReadRequest> decode_request(protozero::pbf_reader message) {
  ReadRequest request;
  std::vector<int32_t> accepted;
  while (message.next()) {
    if (message.tag() == kRequestQueries) {
      TRY_ASSIGN(ReadQuery query, decode_query(message_of(message)));
      request.queries.push_back(std::move(query));
    } else if (message.tag() == kRequestAccepted &&
               message.wire_type() == protozero::pbf_wire_type::length_delimited) {
      for (const int32_t type : message.get_packed_enum()) accepted.push_back(type);
    } else if (message.tag() == kRequestAccepted) {
      accepted.push_back(static_cast<int32_t>(varint_of(message)));
    } else {
      message.skip();
    }
  }
  TRY_ASSIGN(request.streamed, wants_stream(accepted));
  return request;
}

}  // namespace

Result<ReadRequest> ReadRequest::decode(std::string_view body) {
  try {
    return decode_request(protozero::pbf_reader(body.data(), body.size()));
  } catch (const std::exception& error) {  // protozero's and WrongWireType
    return fail(Code::kInvalidArgument,
                std::string("remote read: malformed request: ") + error.what());
  }
}

}  // namespace binnacle::show
