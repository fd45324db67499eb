#include "engine/pipeline/pipeline_messages.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/protobuf_fields.h"
#include "engine/pipeline/checksum_frame.h"
#include "engine/pipeline/hidden_bytes.h"

namespace binnacle::engine {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;

constexpr size_t kBytesPerSlice = 64;  // room to begin with
constexpr size_t kBytesPerHead = 128;

float float_of(pbf_reader& field) {
  expect(field, pbf_wire_type::fixed32);
  return field.get_float();
}

uint64_t fixed64_of(pbf_reader& field) {
  expect(field, pbf_wire_type::fixed64);
  return field.get_fixed64();
}

int32_t int32_of(pbf_reader& field) { return static_cast<int32_t>(varint_of(field)); }
uint64_t uint64_of(pbf_reader& field) { return static_cast<uint64_t>(varint_of(field)); }

template <typename T>
std::vector<T> packed_varints_of(pbf_reader& field) {
  expect(field, pbf_wire_type::length_delimited);
  std::vector<T> values;
  for (const int64_t value : field.get_packed_int64()) {
    if (std::cmp_greater_equal(values.size(), kMaxRows)) throw WrongWireType();
    values.push_back(static_cast<T>(value));
  }
  return values;
}

std::vector<float> packed_floats_of(pbf_reader& field) {
  const std::string_view bytes = view_of(field);
  auto values = read_hidden(bytes, NumberType::kFloat32);
  if (!values) throw WrongWireType();
  return *std::move(values);
}

NumberType type_of(int64_t number) {
  if (number != 0 && number != 1) throw WrongWireType();
  return static_cast<NumberType>(number);
}

std::vector<std::pair<int32_t, float>> pairs_of(const std::vector<int32_t>& tokens,
                                                const std::vector<float>& values) {
  if (tokens.size() != values.size()) throw WrongWireType();
  std::vector<std::pair<int32_t, float>> pairs;
  for (size_t i = 0; i < tokens.size(); ++i) pairs.emplace_back(tokens[i], values[i]);
  return pairs;
}

void write_pairs(pbf_writer& writer, uint32_t tokens, uint32_t values,
                 const std::vector<std::pair<int32_t, float>>& pairs) {
  if (pairs.empty()) return;
  {
    protozero::packed_field_int32 field(writer, tokens);
    for (const auto& pair : pairs) field.add_element(pair.first);
  }
  protozero::packed_field_float field(writer, values);
  for (const auto& pair : pairs) field.add_element(pair.second);
}

void write_sampling(pbf_writer& slice, const Sampling& sampling) {
  pbf_writer writer(slice, 4);
  writer.add_float(1, sampling.temperature);
  writer.add_float(2, sampling.top_p);
  writer.add_int32(3, sampling.top_k);
  writer.add_float(4, sampling.min_p);
  writer.add_fixed64(5, sampling.seed);
  writer.add_int32(6, sampling.top_logprobs);
  write_pairs(writer, 7, 8, sampling.bias);
  if (!sampling.forbidden.empty())
    writer.add_packed_int32(9, sampling.forbidden.begin(), sampling.forbidden.end());
}

Sampling read_sampling(pbf_reader message) {
  Sampling sampling{.temperature = 0, .top_p = 0};  // what is left out is 0
  std::vector<int32_t> tokens;
  std::vector<float> values;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        sampling.temperature = float_of(message);
        break;
      case 2:
        sampling.top_p = float_of(message);
        break;
      case 3:
        sampling.top_k = int32_of(message);
        break;
      case 4:
        sampling.min_p = float_of(message);
        break;
      case 5:
        sampling.seed = fixed64_of(message);
        break;
      case 6:
        sampling.top_logprobs = int32_of(message);
        break;
      case 7:
        tokens = packed_varints_of<int32_t>(message);
        break;
      case 8:
        values = packed_floats_of(message);
        break;
      case 9:
        sampling.forbidden = packed_varints_of<int32_t>(message);
        break;
      default:
        message.skip();
    }
  }
  sampling.bias = pairs_of(tokens, values);
  return sampling;
}

void write_slice(pbf_writer& request, const Slice& slice) {
  pbf_writer writer(request, 5);
  writer.add_uint64(1, slice.sequence);
  writer.add_int32(2, slice.first_position);
  writer.add_int32(3, slice.rows);
  if (slice.sampling) write_sampling(writer, *slice.sampling);
}

Slice read_slice(pbf_reader message) {
  Slice slice;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        slice.sequence = uint64_of(message);
        break;
      case 2:
        slice.first_position = int32_of(message);
        break;
      case 3:
        slice.rows = int32_of(message);
        break;
      case 4:
        slice.sampling = read_sampling(message_of(message));
        break;
      default:
        message.skip();
    }
  }
  return slice;
}

void write_choice(pbf_writer& answer, const TokenChoice& choice) {
  pbf_writer writer(answer, 7);
  writer.add_int32(1, choice.token);
  writer.add_float(2, choice.logprob);
  write_pairs(writer, 3, 4, choice.top);
}

TokenChoice read_choice(pbf_reader message) {
  TokenChoice choice;
  std::vector<int32_t> tokens;
  std::vector<float> values;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        choice.token = int32_of(message);
        break;
      case 2:
        choice.logprob = float_of(message);
        break;
      case 3:
        tokens = packed_varints_of<int32_t>(message);
        break;
      case 4:
        values = packed_floats_of(message);
        break;
      default:
        message.skip();
    }
  }
  choice.top = pairs_of(tokens, values);
  return choice;
}

// The last field of a message.
void write_hidden(std::string& out, pbf_writer& writer, const std::vector<float>& hidden,
                  NumberType type) {
  if (hidden.empty()) return;
  writer.add_enum(8, static_cast<int32_t>(type));
  constexpr char kTag = (9 << 3) | 2;
  out += kTag;
  protozero::write_varint(std::back_inserter(out), hidden_size(hidden.size(), type));
  append_hidden(out, hidden, type);
}

Status check_step(const Step& step) {
  const auto bad = [](std::string detail) {
    return fail(Code::kInvalidArgument, "step: " + std::move(detail));
  };
  if (step.slices.size() > kMaxSlices)
    return bad(std::to_string(step.slices.size()) + " slices; at most " +
               std::to_string(kMaxSlices));
  int64_t rows = 0;
  for (const Slice& slice : step.slices) {
    if (slice.rows <= 0 || slice.first_position < 0)
      return bad("a slice of " + std::to_string(slice.rows) + " rows from position " +
                 std::to_string(slice.first_position));
    rows += slice.rows;
  }
  if (rows > kMaxRows)
    return bad(std::to_string(rows) + " rows; at most " + std::to_string(kMaxRows));
  if (!step.tokens.empty() && !step.hidden.empty()) return bad("both tokens and hidden values");
  if (!step.tokens.empty() && std::cmp_not_equal(step.tokens.size(), rows))
    return bad(std::to_string(step.tokens.size()) + " tokens for " + std::to_string(rows) +
               " rows");
  if (rows > 0 && step.tokens.empty() &&
      (step.hidden.empty() || step.hidden.size() % static_cast<size_t>(rows) != 0))
    return bad(std::to_string(step.hidden.size()) + " hidden values for " + std::to_string(rows) +
               " rows");
  if (rows == 0 && (!step.tokens.empty() || !step.hidden.empty())) return bad("rows of no slice");
  return {};
}

ForwardRequest parse_request(pbf_reader message) {
  ForwardRequest request;
  NumberType type = NumberType::kFloat32;
  std::string_view hidden;
  while (message.next()) {
    switch (message.tag()) {
      case 2:
        request.epoch = uint64_of(message);
        break;
      case 3:
        request.number = uint64_of(message);
        break;
      case 4:
        request.timeout_ms = static_cast<uint32_t>(varint_of(message));
        break;
      case 5:
        // Beyond it the step is refused anyway.
        if (request.step.slices.size() > kMaxSlices) throw WrongWireType();
        request.step.slices.push_back(read_slice(message_of(message)));
        break;
      case 6:
        request.step.tokens = packed_varints_of<int32_t>(message);
        break;
      case 7:
        request.release = packed_varints_of<SequenceId>(message);
        break;
      case 8:
        type = type_of(varint_of(message));
        break;
      case 9:
        hidden = view_of(message);
        break;
      default:
        message.skip();
    }
  }
  auto values = read_hidden(hidden, type);
  if (!values) throw WrongWireType();
  request.step.hidden = *std::move(values);
  return request;
}

void set_error(ForwardAnswer& answer, uint32_t code, std::string message) {
  if (code != 0) answer.error = Error{code_of_grpc_number(code), std::move(message)};
}

ForwardAnswer parse_answer(pbf_reader message) {
  ForwardAnswer answer;
  uint32_t code = 0;
  std::string text;
  NumberType type = NumberType::kFloat32;
  std::string_view hidden;
  while (message.next()) {
    switch (message.tag()) {
      case 2:
        answer.number = uint64_of(message);
        break;
      case 3:
        code = static_cast<uint32_t>(varint_of(message));
        break;
      case 4:
        text = view_of(message);
        break;
      case 5:
        answer.queue_seconds = double_of(message);
        break;
      case 6:
        answer.compute_seconds = double_of(message);
        break;
      case 7:
        if (answer.result.choices.size() >= kMaxSlices) throw WrongWireType();
        answer.result.choices.push_back(read_choice(message_of(message)));
        break;
      case 8:
        type = type_of(varint_of(message));
        break;
      case 9:
        hidden = view_of(message);
        break;
      default:
        message.skip();
    }
  }
  auto values = read_hidden(hidden, type);
  if (!values) throw WrongWireType();
  answer.result.hidden = *std::move(values);
  set_error(answer, code, std::move(text));
  return answer;
}

constexpr std::array<std::pair<Code, uint32_t>, 14> kNumbers{{{Code::kCancelled, 1},
                                                              {Code::kInvalidArgument, 3},
                                                              {Code::kDeadlineExceeded, 4},
                                                              {Code::kNotFound, 5},
                                                              {Code::kAlreadyExists, 6},
                                                              {Code::kPermissionDenied, 7},
                                                              {Code::kResourceExhausted, 8},
                                                              {Code::kFailedPrecondition, 9},
                                                              {Code::kOutOfRange, 11},
                                                              {Code::kUnimplemented, 12},
                                                              {Code::kInternal, 13},
                                                              {Code::kUnavailable, 14},
                                                              {Code::kDataLoss, 15},
                                                              {Code::kUnauthenticated, 16}}};

template <typename Message>
Result<Message> parse(std::string_view bytes, Message (*parser)(pbf_reader), const char* what) {
  TRY_ASSIGN(const std::string_view content, checked_content(bytes));
  try {
    return parser(reader_of(content));
  } catch (const std::exception& error) {
    return fail(Code::kInvalidArgument, std::string(what) + ": " + error.what());
  }
}

}  // namespace

uint32_t grpc_number(Code code) {
  return std::ranges::find(kNumbers, code, &std::pair<Code, uint32_t>::first)->second;
}

Code code_of_grpc_number(uint32_t number) {
  const auto* found = std::ranges::find(kNumbers, number, &std::pair<Code, uint32_t>::second);
  return found == kNumbers.end() ? Code::kInternal : found->first;
}

std::string write_forward_request(const ForwardRequest& request, NumberType type) {
  std::string out;
  const Step& step = request.step;
  out.reserve(kBytesPerHead + step.slices.size() * kBytesPerSlice + step.tokens.size() * 4 +
              hidden_size(step.hidden.size(), type));
  begin_checksum(out);
  pbf_writer writer(out);
  writer.add_uint64(2, request.epoch);
  writer.add_uint64(3, request.number);
  writer.add_uint32(4, request.timeout_ms);
  for (const Slice& slice : step.slices) write_slice(writer, slice);
  if (!step.tokens.empty()) writer.add_packed_int32(6, step.tokens.begin(), step.tokens.end());
  if (!request.release.empty())
    writer.add_packed_uint64(7, request.release.begin(), request.release.end());
  write_hidden(out, writer, step.hidden, type);
  seal_checksum(out);
  return out;
}

std::string write_forward_answer(const ForwardAnswer& answer, NumberType type) {
  std::string out;
  out.reserve(kBytesPerHead + answer.result.choices.size() * kBytesPerSlice +
              hidden_size(answer.result.hidden.size(), type));
  begin_checksum(out);
  pbf_writer writer(out);
  writer.add_uint64(2, answer.number);
  if (answer.error) {
    writer.add_uint32(3, grpc_number(answer.error->code));
    writer.add_string(4, answer.error->message);
  }
  writer.add_double(5, answer.queue_seconds);
  writer.add_double(6, answer.compute_seconds);
  for (const TokenChoice& choice : answer.result.choices) write_choice(writer, choice);
  write_hidden(out, writer, answer.result.hidden, type);
  seal_checksum(out);
  return out;
}

Result<ForwardRequest> read_forward_request(std::string_view bytes) {
  TRY_ASSIGN(ForwardRequest request, parse(bytes, &parse_request, "request"));
  TRY(check_step(request.step));
  return request;
}

Result<ForwardAnswer> read_forward_answer(std::string_view bytes) {
  return parse(bytes, &parse_answer, "answer");
}

}  // namespace binnacle::engine
