#include "base/float_text.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

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

char* write_thousandths(char* out, uint64_t thousandths) {
  out = std::to_chars(out, out + kFloatJsonBytes - 1, thousandths / 1000).ptr;
  auto rest = static_cast<unsigned>(thousandths % 1000);
  if (rest == 0) return out;
  *out++ = '.';
  for (unsigned scale = 100; rest != 0; scale /= 10) {
    *out++ = static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  return out;
}

// The shortest digits, without an exponent. Not of 0. fmt's search for them is twice as fast as the
// library's; behind its own formatting it would not be.
char* write_shortest(char* out, double v) {
  const auto decimal = fmt::detail::dragonbox::to_decimal(v);
  const fmt::format_int digits(decimal.significand);
  const int count = static_cast<int>(digits.size());
  const int before_point = count + decimal.exponent;
  if (before_point <= 0) {
    *out++ = '0';
    *out++ = '.';
    out = std::fill_n(out, -before_point, '0');
    return std::copy_n(digits.data(), count, out);
  }
  if (decimal.exponent >= 0) {
    out = std::copy_n(digits.data(), count, out);
    return std::fill_n(out, decimal.exponent, '0');
  }
  out = std::copy_n(digits.data(), before_point, out);
  *out++ = '.';
  return std::copy_n(digits.data() + before_point, count - before_point, out);
}

// Null for what is so large or small that its layout is another. Most numbers that people measure
// have few decimals and need no search for the shortest text: a decimal of at most 15 digits that
// reads back as `v` is the only one of that length, so without its zeros it is the shortest.
char* write_plain_float(char* out, double v) {
  const double magnitude = std::abs(v);
  if (!(magnitude < 1e21)) return nullptr;
  if (std::signbit(v)) *out++ = '-';
  if (magnitude < 1e12) {
    const auto thousandths = static_cast<uint64_t>(magnitude * 1000 + 0.5);
    if (static_cast<double>(thousandths) / 1000 == magnitude)
      return write_thousandths(out, thousandths);
  }
  if (magnitude < 1e-6) return nullptr;
  return write_shortest(out, magnitude);
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
  if (char* const end = write_plain_float(out, v)) return end;
  std::string text;
  append_any_float_json(text, v);
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace binnacle
