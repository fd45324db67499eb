#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace binnacle {
namespace {

// What may follow a lead byte: how many bytes, and the bounds of the first of them (table 3-7 of
// the Unicode standard); the others are 80..BF.
struct Lead {
  size_t follow;
  uint8_t low;
  uint8_t high;
};

Lead lead_of(uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

size_t ascii_prefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080) != 0) break;
  }
  while (i < text.size() && static_cast<uint8_t>(text[i]) < 0x80) ++i;
  return i;
}

}  // namespace

Utf8Step utf8_step(std::string_view text) {
  if (text.empty()) return {0, false};
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {1, true};
  const Lead lead = lead_of(first);
  if (lead.follow == 0) return {1, false};
  uint8_t low = lead.low;
  uint8_t high = lead.high;
  for (size_t i = 1; i <= lead.follow; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < low || byte > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {lead.follow + 1, true};
}

uint32_t utf8_code_point(std::string_view text) {
  const Utf8Step step = utf8_step(text);
  if (!step.valid) return 0xFFFD;
  const auto lead = static_cast<uint8_t>(text[0]);
  if (step.bytes == 1) return lead;
  // The lead byte of n bytes has n set bits and a clear one before its payload.
  uint32_t point = lead & (0x7FU >> step.bytes);
  for (const char c : text.substr(1, step.bytes - 1))
    point = point << 6U | (static_cast<uint8_t>(c) & 0x3FU);
  return point;
}

void append_utf8(std::string& out, int64_t code_point) {
  if (code_point < 0 || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
    out += kReplacementCharacter;
    return;
  }
  const auto point = static_cast<uint32_t>(code_point);
  const auto follow = [&](unsigned shift) {
    out += static_cast<char>(0x80U | (point >> shift & 0x3FU));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    follow(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    follow(6);
    follow(0);
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    follow(12);
    follow(6);
    follow(0);
  }
}

bool is_valid_utf8(std::string_view text) {
  for (;;) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const Utf8Step step = utf8_step(text);
    if (!step.valid) return false;
    text.remove_prefix(step.bytes);
  }
}

std::string to_valid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    out += step.valid ? text.substr(0, step.bytes) : kReplacementCharacter;
    text.remove_prefix(step.bytes);
  }
  return out;
}

}  // namespace binnacle
