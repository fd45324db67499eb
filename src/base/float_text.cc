#include "base/float_text.h"

#include "base/check.h"

#include <charconv>
#include <cmath>
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

}  // namespace binnacle
