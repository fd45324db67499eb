#include "query/promql/literal_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"
#include "base/utf8.h"

namespace binnacle::query::promql {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kMaxRune = 0x10FFFF;

// Spaces other than ' ', format characters, private use and non-characters are shown as escapes.
bool is_printable(char32_t rune) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kHidden[] = {
      {0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},
      {0x6DD, 0x6DD},   {0x70F, 0x70F},   {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},
      {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000},   {0xD800, 0xF8FF},   {0xFEFF, 0xFEFF},
      {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE00FF}, {0xE01F0, kMaxRune}};
  for (const Range& range : kHidden) {
    if (rune >= range.first && rune <= range.last) return false;
  }
  return rune <= kMaxRune;
}

void append_utf8(std::string& out, char32_t rune) {
  if (rune < 0x80) {
    out.push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (rune >> 6)));
    out.push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  } else if (rune < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (rune >> 12)));
    out.push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (rune >> 18)));
    out.push_back(static_cast<char>(0x80 | ((rune >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  }
}

constexpr std::string_view kEscapeLetters = "abfnrtv";
constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v";

void append_escaped(std::string& out, char32_t rune, char quote) {
  if (rune == static_cast<char32_t>(quote) || rune == U'\\') {
    out.push_back('\\');
    out.push_back(static_cast<char>(rune));
  } else if (is_printable(rune)) {
    append_utf8(out, rune);
  } else if (rune < 0x80 && kEscaped.find(static_cast<char>(rune)) != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kEscapeLetters[kEscaped.find(static_cast<char>(rune))]);
  } else if (rune < 0x80) {
    out += fmt::format("\\x{:02x}", static_cast<uint32_t>(rune));
  } else if (rune < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<uint32_t>(rune));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<uint32_t>(rune));
  }
}

uint32_t digits_value(std::string_view text, int base) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// One escape sequence after its backslash; gives the bytes of it that were used.
size_t append_unescaped(std::string& out, std::string_view rest) {
  CHECK(!rest.empty());
  const char c = rest[0];
  if (const size_t at = kEscapeLetters.find(c); at != std::string_view::npos) {
    out.push_back(kEscaped[at]);
    return 1;
  }
  if (c >= '0' && c <= '7') {
    out.push_back(static_cast<char>(digits_value(rest.substr(0, 3), 8)));
    return 3;
  }
  if (c == 'x') {
    out.push_back(static_cast<char>(digits_value(rest.substr(1, 2), 16)));
    return 3;
  }
  if (c == 'u' || c == 'U') {
    const size_t digits = c == 'u' ? 4 : 8;
    append_utf8(out, digits_value(rest.substr(1, digits), 16));
    return 1 + digits;
  }
  out.push_back(c);
  return 1;
}

bool is_hex(std::string_view token) {
  return token.size() >= 2 && token[0] == '0' && (token[1] == 'x' || token[1] == 'X');
}

// Underscores stand between digits, or between the prefix and the first digit.
bool underscores_stand_right(std::string_view token) {
  const bool hex = is_hex(token);
  char before = hex ? '0' : '.';
  for (const char c : token.substr(hex ? 2 : 0)) {
    const bool digit =
        hex ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : (c >= '0' && c <= '9');
    if (c == '_' && before != '0') return false;
    if (before == '_' && !digit) return false;
    before = c == '_' ? '_' : (digit ? '0' : '.');
  }
  return before != '_';
}

std::optional<int64_t> parse_integer(std::string_view digits) {
  int base = 10;
  if (is_hex(digits)) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    digits.remove_prefix(1);
  }
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

struct DurationUnit {
  std::string_view name;
  int64_t ns;
};
constexpr int64_t kSecond = 1'000'000'000;
constexpr DurationUnit kUnits[] = {{"y", kSecond * 86'400 * 365},
                                   {"w", kSecond * 86'400 * 7},
                                   {"d", kSecond * 86'400},
                                   {"h", kSecond * 3'600},
                                   {"m", kSecond * 60},
                                   {"s", kSecond},
                                   {"ms", 1'000'000}};

std::optional<uint64_t> take_digits(std::string_view& rest) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return value;
}

std::string_view take_unit_name(std::string_view& rest) {
  const std::string_view name =
      rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
  rest.remove_prefix(name.size());
  return name;
}

// The number of units: there is none of that name.
size_t unit_index(std::string_view name) {
  size_t i = 0;
  while (i < std::size(kUnits) && kUnits[i].name != name) ++i;
  return i;
}

Unexpected bad_number(std::string_view token, std::string_view why) {
  return fail(Code::kInvalidArgument,
              fmt::format("error parsing number: strconv.ParseFloat: parsing {}: {}",
                          in_quotes(token), why));
}

}  // namespace

Rune first_rune(std::string_view text) {
  if (text.empty()) return {};
  const Utf8Step step = utf8_step(text);
  if (!step.valid) return {kReplacement, 1, false};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  char32_t value = byte(0);
  if (step.bytes > 1) value &= 0xFFU >> (step.bytes + 1);
  for (size_t i = 1; i < step.bytes; ++i) value = (value << 6) | (byte(i) & 0x3F);
  return {value, static_cast<uint32_t>(step.bytes), true};
}

std::string in_quotes(std::string_view text) { return quoted_prefix(text, text.size()); }

std::string quoted_prefix(std::string_view text, size_t runes) {
  std::string out = "\"";
  for (; runes > 0 && !text.empty(); --runes) {
    const Rune rune = first_rune(text);
    if (rune.valid && rune.value == kReplacement) {
      out += "\\ufffd";  // the lexer takes it for a broken byte
    } else if (rune.valid) {
      append_escaped(out, rune.value, '"');
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(rune.bytes);
  }
  out.push_back('"');
  return out;
}

std::string quoted_rune(char32_t rune) {
  std::string out = "'";
  append_escaped(out, rune, '\'');
  out.push_back('\'');
  return out;
}

std::string described_rune(char32_t rune) {
  std::string out = fmt::format("U+{:04X}", static_cast<uint32_t>(rune));
  if (!is_printable(rune)) return out;
  out += " '";
  append_utf8(out, rune);
  out.push_back('\'');
  return out;
}

std::string unquoted(std::string_view token) {
  CHECK(token.size() >= 2);
  const char quote = token[0];
  std::string_view rest = token.substr(1, token.size() - 2);
  if (quote == '`') return std::string(rest);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const size_t plain = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    rest.remove_prefix(append_unescaped(out, rest));
  }
  return out;
}

std::string plain_number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  int exponent = 0;
  const size_t sign = text[e + 1] == '+' ? 1 : 0;  // std::from_chars takes no plus
  std::from_chars(buffer.data() + e + 1 + sign, end, exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  const auto size = static_cast<int>(digits.size());
  if (exponent < 0) {
    digits = "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else if (exponent >= size - 1) {
    digits += std::string(static_cast<size_t>(exponent - size + 1), '0');
  } else {
    digits.insert(static_cast<size_t>(exponent) + 1, ".");
  }
  return std::signbit(value) ? "-" + digits : digits;
}

Result<double> parse_number(std::string_view token) {
  const char first = token.empty() ? '\0' : static_cast<char>(token[0] | 0x20);
  if (first == 'i') return std::numeric_limits<double>::infinity();
  if (first == 'n') return std::numeric_limits<double>::quiet_NaN();
  if (!underscores_stand_right(token)) return bad_number(token, "invalid syntax");
  std::string digits;
  for (const char c : token) {
    if (c != '_') digits.push_back(c);
  }
  if (const auto integer = parse_integer(digits)) return static_cast<double>(*integer);
  // Hexadecimal numbers beyond 64 bits would need an exponent, which the lexer does not take.
  if (is_hex(digits)) return bad_number(token, "invalid syntax");
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end) {
    value = std::strtod(digits.c_str(), nullptr);  // tells too large from too small
    if (std::isinf(value)) return bad_number(token, "value out of range");
    return value;
  }
  if (parsed.ec != std::errc() || parsed.ptr != end) return bad_number(token, "invalid syntax");
  return value;
}

Result<int64_t> parse_duration_token_ns(std::string_view token) {
  const auto bad = [&] {
    return fail(Code::kInvalidArgument,
                fmt::format("not a valid duration string: {}", in_quotes(token)));
  };
  if (token.empty()) return fail(Code::kInvalidArgument, "empty duration string");
  if (token == "0") return 0;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t total = 0;
  size_t next_unit = 0;  // units stand in order, each once
  for (std::string_view rest = token; !rest.empty();) {
    const auto value = take_digits(rest);
    const std::string_view name = take_unit_name(rest);
    if (!value || name.empty()) return bad();
    const size_t unit = unit_index(name);
    if (unit == std::size(kUnits)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("unknown unit {} in duration {}", in_quotes(name), in_quotes(token)));
    }
    if (unit < next_unit) return bad();
    next_unit = unit + 1;
    if (*value > static_cast<uint64_t>((kMost - total) / kUnits[unit].ns))
      return fail(Code::kInvalidArgument, "duration out of range");
    total += static_cast<int64_t>(*value) * kUnits[unit].ns;
  }
  return total;
}

}  // namespace binnacle::query::promql
