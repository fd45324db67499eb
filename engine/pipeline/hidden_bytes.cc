#include "engine/pipeline/hidden_bytes.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace binnacle::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  // Rounding would carry a NaN with low bits alone over into infinity.
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

size_t size_of(NumberType type) {
  return type == NumberType::kFloat32 ? sizeof(float) : sizeof(uint16_t);
}

}  // namespace

size_t hidden_size(size_t values, NumberType type) { return values * size_of(type); }

void append_hidden(std::string& out, std::span<const float> values, NumberType type) {
  if (type == NumberType::kFloat32) {
    out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    return;
  }
  const size_t begin = out.size();
  out.resize(begin + hidden_size(values.size(), type));
  char* to = out.data() + begin;
  for (const float value : values) {
    const uint16_t bits = to_bfloat16(value);
    std::memcpy(to, &bits, sizeof bits);
    to += sizeof bits;
  }
}

Result<std::vector<float>> read_hidden(std::string_view bytes, NumberType type) {
  if (bytes.size() % size_of(type) != 0)
    return fail(Code::kInvalidArgument,
                "hidden values of " + std::to_string(bytes.size()) + " bytes: cut");
  std::vector<float> values(bytes.size() / size_of(type));
  if (type == NumberType::kFloat32) {
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  const char* from = bytes.data();
  for (float& value : values) {
    uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    value = std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
    from += sizeof bits;
  }
  return values;
}

}  // namespace binnacle::engine
