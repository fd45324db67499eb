#include "engine/model/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/model/bfloat16.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "files are mapped as they are");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kAlignment = 64;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxShownBytes = 200;
constexpr size_t kPieceValues = size_t{1} << 18;
constexpr std::string_view kMetadataKey = "__metadata__";

std::string shown(std::string_view text) { return std::string(text.substr(0, kMaxShownBytes)); }

// A key that stands twice would be read one way here and another way elsewhere.
Result<json> parse_header_json(std::string_view text, const std::string& file) {
  std::set<std::string> names;
  std::optional<std::string> twice;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth == 1 && event == json::parse_event_t::key) {
      const bool fresh = names.insert(value.get<std::string>()).second;
      if (!fresh && !twice) twice = value.get<std::string>();
    }
    return true;
  };
  json header = json::parse(text, watch, false);
  if (header.is_discarded()) {
    return fail(Code::kDataLoss, fmt::format("{}: its header is not valid JSON", file));
  }
  if (!header.is_object()) {
    return fail(Code::kDataLoss, fmt::format("{}: its header is not a JSON object", file));
  }
  if (twice) {
    return fail(Code::kDataLoss,
                fmt::format("{}: tensor \"{}\" stands twice in its header", file, shown(*twice)));
  }
  return header;
}

Result<std::string_view> header_text(std::string_view bytes, const std::string& file) {
  const auto broken = [&](std::string what) {
    return fail(Code::kDataLoss, fmt::format("{}: {}", file, what));
  };
  if (bytes.size() < kLengthBytes) {
    return broken(fmt::format("has {} bytes, a safetensors file begins with 8 bytes of length",
                              bytes.size()));
  }
  const uint64_t length = ByteReader(bytes).u64();
  if (length > kMaxSafetensorsHeaderBytes) {
    return broken(
        fmt::format("says that its header has {} bytes, more than {}: not a safetensors "
                    "file, or damaged",
                    length, kMaxSafetensorsHeaderBytes));
  }
  if (length > bytes.size() - kLengthBytes) {
    return broken(fmt::format("ends within its header ({} bytes of {})",
                              bytes.size() - kLengthBytes, length));
  }
  const std::string_view text = bytes.substr(kLengthBytes, length);
  if (!text.starts_with('{')) return broken("its header does not begin with {");
  return text;
}

// One entry of the header; every error names file and tensor.
class EntryReader {
 public:
  EntryReader(const std::string& file, const std::string& name) : file_(file), name_(name) {}

  Result<SafetensorsEntry> read(const json& value, uint64_t data_begin, uint64_t data_size) const {
    if (!value.is_object()) return broken("is not an object");
    SafetensorsEntry entry;
    TRY_ASSIGN(entry.type, read_type(value));
    TRY_ASSIGN(entry.shape, read_shape(value));
    TRY_ASSIGN(const uint64_t size, byte_size(entry));
    TRY_ASSIGN(const auto offsets, read_offsets(value));
    const auto [begin, end] = offsets;
    if (begin > end || end > data_size) {
      return broken(fmt::format("has data_offsets [{}, {}], the file has {} bytes of data", begin,
                                end, data_size));
    }
    if (end - begin != size) {
      return broken(fmt::format("has {} bytes, its shape {} needs {}", end - begin,
                                shape_text(entry.shape), size));
    }
    entry.begin = data_begin + begin;
    entry.end = data_begin + end;
    if (size > 0 && entry.begin % static_cast<uint64_t>(number_size(entry.type)) != 0) {
      return broken(
          fmt::format("begins at byte {}, which is not aligned to its numbers: write the "
                      "file anew with a current safetensors",
                      entry.begin));
    }
    return entry;
  }

 private:
  Unexpected broken(const std::string& what, Code code = Code::kDataLoss) const {
    return fail(code, fmt::format("{}: tensor \"{}\" {}", file_, shown(name_), what));
  }

  Result<NumberType> read_type(const json& value) const {
    const auto at = value.find("dtype");
    if (at == value.end() || !at->is_string()) return broken("has no dtype");
    const auto type = at->get<std::string>();
    if (type == "F32") return NumberType::kFloat32;
    if (type == "BF16") return NumberType::kBfloat16;
    return broken(fmt::format("has dtype {}: only F32 and BF16 are supported, convert it to BF16",
                              shown(type)),
                  Code::kUnimplemented);
  }

  Result<std::vector<int64_t>> read_shape(const json& value) const {
    const auto at = value.find("shape");
    if (at == value.end() || !at->is_array()) return broken("has no shape");
    if (at->size() > kMaxRank) {
      return broken(fmt::format("has {} dimensions, more than {}", at->size(), kMaxRank));
    }
    std::vector<int64_t> shape;
    for (const json& size : *at) {
      if (!size.is_number_unsigned() || size.get<uint64_t>() > (uint64_t{1} << 48)) {
        return broken("has a dimension that is not a whole number below 2^48");
      }
      shape.push_back(size.get<int64_t>());
    }
    return shape;
  }

  Result<uint64_t> byte_size(const SafetensorsEntry& entry) const {
    auto size = static_cast<uint64_t>(number_size(entry.type));
    for (const int64_t dimension : entry.shape) {
      if (__builtin_mul_overflow(size, static_cast<uint64_t>(dimension), &size)) {
        return broken(fmt::format("has shape {}, too large to be", shape_text(entry.shape)));
      }
    }
    return size;
  }

  Result<std::pair<uint64_t, uint64_t>> read_offsets(const json& value) const {
    const auto at = value.find("data_offsets");
    if (at == value.end() || !at->is_array() || at->size() != 2 || !(*at)[0].is_number_unsigned() ||
        !(*at)[1].is_number_unsigned()) {
      return broken("has no data_offsets of two numbers");
    }
    return std::pair((*at)[0].get<uint64_t>(), (*at)[1].get<uint64_t>());
  }

  const std::string& file_;
  const std::string& name_;
};

Status read_metadata(const json& value, const std::string& file, SafetensorsHeader& header) {
  const auto broken = [&] {
    return fail(Code::kDataLoss, fmt::format("{}: __metadata__ does not map text to text", file));
  };
  if (!value.is_object()) return broken();
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return broken();
    header.metadata.emplace(key, text.get<std::string>());
  }
  return {};
}

// From the first byte of data to the last, each byte belongs to one tensor.
Status check_cover(const SafetensorsHeader& header, uint64_t data_begin, uint64_t file_size,
                   const std::string& file) {
  std::vector<std::pair<const std::string*, const SafetensorsEntry*>> order;
  order.reserve(header.tensors.size());
  for (const auto& [name, entry] : header.tensors) order.emplace_back(&name, &entry);
  std::ranges::sort(
      order, {}, [](const auto& item) { return std::pair(item.second->begin, item.second->end); });
  uint64_t at = data_begin;
  for (const auto& [name, entry] : order) {
    if (entry->begin != at) {
      return fail(Code::kDataLoss,
                  fmt::format("{}: tensor \"{}\" begins at byte {} of the file, {} {}", file,
                              shown(*name), entry->begin,
                              entry->begin < at ? "within the tensor that ends at"
                                                : "behind a hole that begins at",
                              at));
    }
    at = entry->end;
  }
  if (at == file_size) return {};
  return fail(Code::kDataLoss, fmt::format("{}: {} bytes behind the last tensor belong to none",
                                           file, file_size - at));
}

json entry_json(const SafetensorsWriter::Tensor& tensor, uint64_t begin, uint64_t end) {
  return {{"dtype", tensor.type == NumberType::kBfloat16 ? "BF16" : "F32"},
          {"shape", tensor.shape},
          {"data_offsets", {begin, end}}};
}

void append_rounded(std::string& out, std::span<const float> values, NumberType type) {
  if (type == NumberType::kFloat32) {
    const size_t before = out.size();
    out.resize(before + values.size_bytes());
    std::memcpy(out.data() + before, values.data(), values.size_bytes());
    return;
  }
  const size_t before = out.size();
  out.resize(before + values.size() * sizeof(uint16_t));
  char* at = out.data() + before;
  for (const float value : values) {
    const uint16_t rounded = to_bfloat16(value);
    std::memcpy(at, &rounded, sizeof(rounded));
    at += sizeof(rounded);
  }
}

}  // namespace

int64_t number_size(NumberType type) { return type == NumberType::kBfloat16 ? 2 : 4; }

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<SafetensorsHeader> parse_safetensors(std::string_view bytes, const std::string& file) {
  TRY_ASSIGN(const std::string_view text, header_text(bytes, file));
  TRY_ASSIGN(const json parsed, parse_header_json(text, file));
  const uint64_t data_begin = kLengthBytes + text.size();
  SafetensorsHeader header;
  for (const auto& [name, value] : parsed.items()) {
    if (name == kMetadataKey) {
      TRY(read_metadata(value, file, header));
      continue;
    }
    TRY_ASSIGN(SafetensorsEntry entry,
               EntryReader(file, name).read(value, data_begin, bytes.size() - data_begin));
    header.tensors.emplace(name, std::move(entry));
  }
  TRY(check_cover(header, data_begin, bytes.size(), file));
  return header;
}

Result<SafetensorsWriter> SafetensorsWriter::create(
    FileSystem& files, const std::string& path, std::span<const Tensor> tensors,
    const std::map<std::string, std::string>& metadata) {
  json header = {{std::string(kMetadataKey), metadata}};
  uint64_t at = 0;
  for (const Tensor& tensor : tensors) {
    auto size = static_cast<uint64_t>(number_size(tensor.type));
    for (const int64_t dimension : tensor.shape) size *= static_cast<uint64_t>(dimension);
    header[tensor.name] = entry_json(tensor, at, at + size);
    at += size;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  // Spaces behind the header are allowed and align the data.
  text.append((kAlignment - (kLengthBytes + text.size()) % kAlignment) % kAlignment, ' ');
  std::string begin;
  ByteWriter(begin).u64(text.size());
  TRY_ASSIGN(AtomicFile file, AtomicFile::create(files, path));
  TRY(file.append(begin + text));
  return SafetensorsWriter(std::move(file), at);
}

Status SafetensorsWriter::append(std::span<const float> values, NumberType type) {
  CHECK(values.size() * static_cast<uint64_t>(number_size(type)) <= missing_);
  while (!values.empty()) {
    const auto piece = values.first(std::min(values.size(), kPieceValues));
    values = values.subspan(piece.size());
    buffer_.clear();
    append_rounded(buffer_, piece, type);
    TRY(file_.append(buffer_));
    missing_ -= buffer_.size();
  }
  return {};
}

Status SafetensorsWriter::commit() {
  CHECK(missing_ == 0);
  return file_.commit();
}

}  // namespace binnacle::engine
