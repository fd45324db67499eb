#include "base/float_text.h"

#include "base/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace binnacle {
namespace {

bool append_special(std::string& out, double v) {
  if (std::isfinite(v)) return false;
  out += std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
  return true;
}

// The shortest scientific form, "-1.25e+06", from which both layouts follow. The library's own
// fixed form does not: for large values it prints the exact digits, where Go pads the shortest ones
// with zeros.
struct Scientific {
  explicit Scientific(double v) {
    const auto printed =
        std::to_chars(buffer, buffer + sizeof(buffer), v, std::chars_format::scientific);
    CHECK(printed.ec == std::errc());
    text = {buffer, printed.ptr};
    const size_t e = text.find('e');
    const size_t start = e + (text[e + 1] == '+' ? 2 : 1);
    CHECK(std::from_chars(text.data() + start, printed.ptr, exponent).ec == std::errc());
    mantissa = text.substr(0, e);
  }

  char buffer[32];
  std::string_view text;
  std::string_view mantissa;
  int exponent = 0;
};

void append_fixed(std::string& out, const Scientific& number) {
  std::string_view mantissa = number.mantissa;
  if (mantissa.front() == '-') {
    out += '-';
    mantissa.remove_prefix(1);
  }
  if (number.exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-number.exponent - 1), '0');
  }
  int digits_before_point = number.exponent + 1;
  for (const char c : mantissa) {
    if (c == '.') continue;
    if (digits_before_point-- == 0 && number.exponent >= 0) out += '.';
    out += c;
  }
  if (digits_before_point > 0) out.append(static_cast<size_t>(digits_before_point), '0');
}

void append_any_float_json(std::string& out, double v) {
  if (append_special(out, v)) return;
  const Scientific number(v);
  if (number.exponent >= -6 && number.exponent < 21) {
    append_fixed(out, number);
    return;
  }
  // encoding/json writes e-7 where strconv writes e-07.
  const size_t padding = number.text.find("e-0");
  if (padding == std::string_view::npos) {
    out += number.text;
  } else {
    out += number.text.substr(0, padding + 2);
    out += number.text.substr(padding + 3);
  }
}

// `digits` / 10^decimals, without zeros at the end.
char* write_decimal(char* out, uint64_t digits, int decimals) {
  while (decimals > 0 && digits % 10 == 0) {
    digits /= 10;
    --decimals;
  }
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), digits).ptr;
  const int length = static_cast<int>(end - text);
  if (decimals == 0) return std::copy(text, end, out);
  if (length <= decimals) {
    *out++ = '0';
    *out++ = '.';
    out = std::fill_n(out, decimals - length, '0');
    return std::copy(text, end, out);
  }
  out = std::copy(text, end - decimals, out);
  *out++ = '.';
  return std::copy(end - decimals, end, out);
}

// Null unless `v` is a number of few decimals, as most are that people measure: for these it is
// some five times quicker than the general way. A decimal of at most 15 digits that reads back as
// `v` is the only one of that length, so without its zeros it is the shortest.
char* write_few_decimals(char* out, double v) {
  constexpr double kDigits15 = 1e15;
  const double magnitude = std::abs(v);
  if (!(magnitude < kDigits15)) return nullptr;
  if (std::signbit(v)) *out++ = '-';
  for (const auto& [scale, decimals] : {std::pair(1.0, 0), std::pair(1e3, 3), std::pair(1e6, 6)}) {
    const double scaled = magnitude * scale;
    if (scaled >= kDigits15) break;
    const double digits = static_cast<double>(std::llrint(scaled));
    if (digits / scale == magnitude && (digits > 0 || magnitude == 0))
      return write_decimal(out, static_cast<uint64_t>(digits), decimals);
  }
  // Most others have 15 digits and more.
  if (magnitude < 1e-6) return nullptr;
  const auto [end, error] =
      std::to_chars(out, out + kFloatJsonBytes - 1, magnitude, std::chars_format::fixed);
  return error == std::errc() ? end : nullptr;
}

}  // namespace

void append_float_text(std::string& out, double v) {
  if (append_special(out, v)) return;
  const Scientific number(v);
  // The 21 digits that Go is known for belong to %v; here the bound is 6.
  if (number.exponent < -4 || number.exponent >= 6) {
    out += number.text;
  } else {
    append_fixed(out, number);
  }
}

void append_float_json(std::string& out, double v) {
  char buffer[kFloatJsonBytes];
  out.append(buffer, write_float_json(buffer, v));
}

char* write_float_json(char* out, double v) {
  if (char* const end = write_few_decimals(out, v)) return end;
  std::string text;
  append_any_float_json(text, v);
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace binnacle
