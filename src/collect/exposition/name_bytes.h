// The bytes that names are made of, and quoted text with its escapes: what the reader of lines and
// the reader of labels share. Pure functions.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace binnacle::collect::exposition {

namespace detail {
enum : unsigned char { kNameStart = 1, kNameByte = 2 };
constexpr std::array<unsigned char, 256> make_name_table() {
  std::array<unsigned char, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = kNameStart | kNameByte;
  table['_'] = table[':'] = kNameStart | kNameByte;
  for (int c = '0'; c <= '9'; ++c) table[c] = kNameByte;
  return table;
}
inline constexpr auto kNameTable = make_name_table();
}  // namespace detail

inline bool is_name_start(char c) {
  return (detail::kNameTable[static_cast<unsigned char>(c)] & detail::kNameStart) != 0;
}
inline bool is_name_byte(char c) { return detail::kNameTable[static_cast<unsigned char>(c)] != 0; }

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }

// `p` is behind the opening quote; what comes back is behind the closing one, null without one.
inline const char* end_of_quoted(const char* p, const char* end) {
  const char* const open = p;
  for (;;) {
    p = static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end - p)));
    if (p == nullptr) return nullptr;
    const char* back = p;
    while (back != open && back[-1] == '\\') --back;
    ++p;
    if ((p - 1 - back) % 2 == 0) return p;
  }
}

// \\, \n and, where `quotes`, \" resolved; other escapes stay as they are, as in Prometheus. The
// answer is `text` itself or a view of `storage`.
std::string_view unescaped(std::string_view text, bool quotes, std::string& storage);

}  // namespace binnacle::collect::exposition
