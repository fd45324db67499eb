#include "engine/pipeline/control_messages.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/protobuf_fields.h"
#include "engine/pipeline/checksum_frame.h"

namespace binnacle::engine {
namespace {

using protozero::pbf_reader;
using protozero::pbf_writer;

// A worker with more models, or an order with more peers, than this is not one.
constexpr size_t kMaxNames = 1'000;

void add_name(std::vector<std::string>& names, pbf_reader& field) {
  if (names.size() >= kMaxNames) throw WrongWireType();
  names.emplace_back(view_of(field));
}

// Calls `take` for each field; the reader throws for what is malformed.
template <typename Take>
Status each_field(std::string_view bytes, const char* what, Take take) {
  try {
    auto message = reader_of(bytes);
    while (message.next()) take(message);
  } catch (const std::exception& error) {
    return fail(Code::kInvalidArgument, std::string(what) + ": " + error.what());
  }
  return {};
}

void take_fact(WorkerFacts& facts, pbf_reader& field) {
  switch (field.tag()) {
    case 1:
      facts.name = view_of(field);
      break;
    case 2:
      facts.address = view_of(field);
      break;
    case 3:
      facts.software = view_of(field);
      break;
    case 4:
      facts.kernel = view_of(field);
      break;
    case 5:
      facts.weight_bytes_per_second = double_of(field);
      break;
    case 6:
      facts.memory_bytes = varint_of(field);
      break;
    case 7:
      add_name(facts.models, field);
      break;
    default:
      field.skip();
  }
}

NumberType hop_type_of(int64_t number) {
  if (number != 0 && number != 1) throw WrongWireType();
  return static_cast<NumberType>(number);
}

void take_order(LoadOrder& order, pbf_reader& field) {
  switch (field.tag()) {
    case 1:
      order.model = view_of(field);
      break;
    case 2:
      order.layers.begin = static_cast<int32_t>(varint_of(field));
      break;
    case 3:
      order.layers.end = static_cast<int32_t>(varint_of(field));
      break;
    case 4:
      order.weights_hash = view_of(field);
      break;
    case 5:
      order.kernel = view_of(field);
      break;
    case 6:
      order.kv_positions = varint_of(field);
      break;
    case 7:
      order.hop_type = hop_type_of(varint_of(field));
      break;
    case 8:
      order.epoch = static_cast<uint64_t>(varint_of(field));
      break;
    case 9:
      add_name(order.peers, field);
      break;
    default:
      field.skip();
  }
}

void take_piece(WeightPiece& piece, pbf_reader& field) {
  switch (field.tag()) {
    case 2:
      piece.file = view_of(field);
      break;
    case 3:
      piece.file_bytes = static_cast<uint64_t>(varint_of(field));
      break;
    case 4:
      piece.offset = static_cast<uint64_t>(varint_of(field));
      break;
    case 5:
      piece.data = view_of(field);
      break;
    case 6:
      piece.last = varint_of(field) != 0;
      break;
    default:
      field.skip();
  }
}

}  // namespace

std::string write_text(std::string_view text) {
  std::string out;
  pbf_writer(out).add_string(1, text.data(), text.size());
  return out;
}

Result<std::string> read_text(std::string_view bytes) {
  std::string text;
  TRY(each_field(bytes, "text", [&text](pbf_reader& field) {
    if (field.tag() == 1) {
      text = view_of(field);
    } else {
      field.skip();
    }
  }));
  return text;
}

std::string write_facts(const WorkerFacts& facts) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, facts.name);
  writer.add_string(2, facts.address);
  writer.add_string(3, facts.software);
  writer.add_string(4, facts.kernel);
  writer.add_double(5, facts.weight_bytes_per_second);
  writer.add_int64(6, facts.memory_bytes);
  for (const std::string& model : facts.models) writer.add_string(7, model);
  return out;
}

Result<WorkerFacts> read_facts(std::string_view bytes) {
  WorkerFacts facts;
  TRY(each_field(bytes, "facts", [&facts](pbf_reader& field) { take_fact(facts, field); }));
  return facts;
}

std::string write_load(const LoadOrder& order) {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(1, order.model);
  writer.add_int32(2, order.layers.begin);
  writer.add_int32(3, order.layers.end);
  writer.add_string(4, order.weights_hash);
  writer.add_string(5, order.kernel);
  writer.add_int64(6, order.kv_positions);
  writer.add_enum(7, static_cast<int32_t>(order.hop_type));
  writer.add_uint64(8, order.epoch);
  for (const std::string& peer : order.peers) writer.add_string(9, peer);
  return out;
}

Result<LoadOrder> read_load(std::string_view bytes) {
  LoadOrder order;
  order.kv_positions = 0;  // what is left out is 0
  TRY(each_field(bytes, "load", [&order](pbf_reader& field) { take_order(order, field); }));
  return order;
}

std::string write_piece(const WeightPiece& piece) {
  std::string out;
  out.reserve(piece.data.size() + piece.file.size() + 64);
  begin_checksum(out);
  pbf_writer writer(out);
  writer.add_string(2, piece.file);
  writer.add_uint64(3, piece.file_bytes);
  writer.add_uint64(4, piece.offset);
  writer.add_bytes(5, piece.data.data(), piece.data.size());
  writer.add_bool(6, piece.last);
  seal_checksum(out);
  return out;
}

Result<WeightPiece> read_piece(std::string_view bytes) {
  TRY_ASSIGN(const std::string_view content, checked_content(bytes));
  WeightPiece piece;
  TRY(each_field(content, "piece", [&piece](pbf_reader& field) { take_piece(piece, field); }));
  return piece;
}

}  // namespace binnacle::engine
