#include "net/base64.h"

#include <openssl/evp.h>

#include <cstdint>

namespace binnacle::net {
namespace {

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  // EVP_EncodeBlock writes a NUL behind the text, for which std::string has room.
  std::string text(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  const auto ends_line = [](char c) { return c == '\n' || c == '\r'; };
  while (!text.empty() && (text.back() == '=' || ends_line(text.back()))) text.remove_suffix(1);
  std::string bytes;
  uint32_t buffer = 0;
  int bits = 0;
  size_t digits = 0;
  for (const char c : text) {
    if (ends_line(c)) continue;
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    buffer = (buffer << 6 | static_cast<uint32_t>(digit)) & 0xffffff;
    bits += 6;
    ++digits;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(buffer >> bits & 0xff);
  }
  if (digits % 4 == 1) return std::nullopt;
  return bytes;
}

}  // namespace binnacle::net
