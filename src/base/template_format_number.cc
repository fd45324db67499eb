#include "base/template_format_number.h"

#include "base/float_text.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace binnacle {
namespace {

size_t characters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(utf8_step(text).bytes);
    ++count;
  }
  return count;
}

std::string utf8(int64_t point) {
  std::string out;
  append_utf8(out, point);
  return out;
}

void append_escaped(std::string& out, std::string_view character, bool valid, char quote,
                    bool ascii) {
  if (!valid) {
    for (const char c : character)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    return;
  }
  if (character.size() > 1) {
    const uint32_t point = utf8_code_point(character);
    const bool control = point < 0xA0 || point == 0xFEFF || point == 0x2028 || point == 0x2029;
    if (!ascii && !control) {
      out += character;
    } else if (point < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", point);
    }
    return;
  }
  const char c = character[0];
  constexpr std::string_view kControls = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (c == quote || c == '\\') {
    out += '\\';
    out += c;
  } else if (const size_t i = kControls.find(c); i != std::string_view::npos) {
    out += '\\';
    out += kLetters[i];
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

std::string in_quotes(std::string_view text, char quote, bool ascii) {
  std::string out(1, quote);
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    append_escaped(out, text.substr(0, step.bytes), step.valid, quote, ascii);
    text.remove_prefix(step.bytes);
  }
  out += quote;
  return out;
}

// Sign, digits, width: zeros go between sign and digits.
std::string pad_number(std::string_view sign, std::string digits, const FormatSpec& spec,
                       bool zeros_allowed) {
  const size_t have = sign.size() + digits.size();
  const auto want = static_cast<size_t>(spec.width);
  if (spec.zero && !spec.minus && zeros_allowed && have < want) digits.insert(0, want - have, '0');
  return pad(std::string(sign) + digits, spec);
}

std::string_view sign_of(bool negative, const FormatSpec& spec) {
  return negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
}

std::string based(int64_t value, const FormatSpec& spec, int base, std::string_view prefix,
                  bool upper) {
  const bool negative = value < 0;
  const uint64_t magnitude =
      negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  char buffer[72];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), magnitude, base).ptr;
  std::string digits(buffer, end);
  if (spec.precision == 0 && value == 0) digits.clear();
  if (upper)
    std::transform(digits.begin(), digits.end(), digits.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
  if (spec.precision > 0 && digits.size() < static_cast<size_t>(spec.precision))
    digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
  return pad_number(std::string(sign_of(negative, spec)) + std::string(prefix), std::move(digits),
                    spec, spec.precision < 0);
}

std::string hex(std::string_view text, const FormatSpec& spec) {
  if (spec.precision >= 0) text = text.substr(0, static_cast<size_t>(spec.precision));
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && spec.space) out += ' ';
    if (spec.sharp && (i == 0 || spec.space)) out += spec.verb == 'x' ? "0x" : "0X";
    const auto byte = static_cast<unsigned char>(text[i]);
    out += spec.verb == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
  }
  return pad(out, spec);
}

// Through the C library: its digits of a precision are exact, as Go's are, and its exponent has at
// least two digits, as Go's has.
std::string with_precision(double magnitude, char verb, int precision, bool sharp) {
  const char format[] = {'%', '#', '.', '*', verb, '\0'};
  const char plain[] = {'%', '.', '*', verb, '\0'};
  const char* chosen = sharp ? format : plain;
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
  const int length = std::snprintf(nullptr, 0, chosen, precision, magnitude);
  std::string out(static_cast<size_t>(length) + 1, '\0');
  std::snprintf(out.data(), out.size(), chosen, precision, magnitude);
#pragma clang diagnostic pop
  out.pop_back();
  return out;
}

std::string float_digits(double magnitude, const FormatSpec& spec) {
  constexpr int kMaxPrecision = 2000;  // more digits than any float has; fmt's bound is far higher
  const int precision = std::min(spec.precision, kMaxPrecision);
  switch (spec.verb) {
    case 'v':
    case 'g':
    case 'G': {
      if (precision >= 0 || spec.sharp)
        return with_precision(magnitude, spec.verb == 'G' ? 'G' : 'g',
                              precision < 0 ? 6 : precision, spec.sharp);
      std::string out;
      append_float_text(out, magnitude);
      if (spec.verb == 'G') std::replace(out.begin(), out.end(), 'e', 'E');
      return out;
    }
    case 'F':
      return with_precision(magnitude, 'f', precision < 0 ? 6 : precision, spec.sharp);
    default:
      return with_precision(magnitude, spec.verb, precision < 0 ? 6 : precision, spec.sharp);
  }
}

std::string first_characters(std::string_view text, int count) {
  size_t end = 0;
  for (; count > 0 && end < text.size(); --count) end += utf8_step(text.substr(end)).bytes;
  return std::string(text.substr(0, end));
}

}  // namespace

std::string pad(std::string_view text, const FormatSpec& spec) {
  std::string out(text);
  if (spec.width <= 0) return out;
  const size_t have = characters(text);
  const auto want = static_cast<size_t>(spec.width);
  if (have >= want) return out;
  if (spec.minus) {
    out.append(want - have, ' ');
  } else {
    out.insert(0, want - have, ' ');
  }
  return out;
}

std::optional<std::string> format_int(int64_t value, const FormatSpec& spec) {
  switch (spec.verb) {
    case 'v':
    case 'd':
      return based(value, spec, 10, "", false);
    case 'b':
      return based(value, spec, 2, spec.sharp ? "0b" : "", false);
    case 'o':
      return based(value, spec, 8, spec.sharp ? "0" : "", false);
    case 'O':
      return based(value, spec, 8, "0o", false);
    case 'x':
      return based(value, spec, 16, spec.sharp ? "0x" : "", false);
    case 'X':
      return based(value, spec, 16, spec.sharp ? "0X" : "", true);
    case 'c':
      return pad(utf8(value), spec);
    case 'q':
      return pad(in_quotes(utf8(value), '\'', spec.plus), spec);
    case 'U':
      return pad(fmt::format("U+{:04X}", static_cast<uint64_t>(value)), spec);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> format_float(double value, const FormatSpec& spec) {
  if (spec.verb == 0 || std::string_view("veEfFgG").find(spec.verb) == std::string_view::npos)
    return std::nullopt;
  if (std::isnan(value)) return pad(spec.plus ? "+NaN" : spec.space ? " NaN" : "NaN", spec);
  const bool negative = std::signbit(value);
  if (std::isinf(value)) {
    const bool plain = spec.space && !spec.plus && !negative;
    return pad(negative ? "-Inf" : plain ? " Inf" : "+Inf", spec);
  }
  return pad_number(sign_of(negative, spec), float_digits(std::fabs(value), spec), spec, true);
}

std::optional<std::string> format_string(std::string_view value, const FormatSpec& spec) {
  const bool cut = spec.precision >= 0;
  switch (spec.verb) {
    case 'v':
      if (spec.sharp) return pad(in_quotes(value, '"', false), spec);
      [[fallthrough]];
    case 's':
      return pad(cut ? first_characters(value, spec.precision) : std::string(value), spec);
    case 'q': {
      const std::string text = cut ? first_characters(value, spec.precision) : std::string(value);
      const bool raw = spec.sharp && text.find_first_of("`\n\r\t") == std::string::npos;
      return pad(raw ? "`" + text + "`" : in_quotes(text, '"', spec.plus), spec);
    }
    case 'x':
    case 'X':
      return hex(value, spec);
    default:
      return std::nullopt;
  }
}

}  // namespace binnacle
