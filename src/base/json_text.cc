#include "base/json_text.h"

#include "base/utf8.h"

#include <cstdint>

namespace binnacle {
namespace {

bool is_plain(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[static_cast<uint8_t>(c) >> 4];
      out += kHex[static_cast<uint8_t>(c) & 0xF];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  while (!bytes.empty()) {
    size_t plain = 0;
    while (plain < bytes.size() && is_plain(bytes[plain])) ++plain;
    out += bytes.substr(0, plain);
    bytes.remove_prefix(plain);
    if (bytes.empty()) break;
    const Utf8Step step = utf8_step(bytes);
    if (step.valid && step.bytes == 1) {
      append_escaped(out, bytes[0]);
    } else {
      out += step.valid ? bytes.substr(0, step.bytes) : kReplacementCharacter;
    }
    bytes.remove_prefix(step.bytes);
  }
  out += '"';
}

}  // namespace binnacle
