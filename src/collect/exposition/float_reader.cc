#include "collect/exposition/float_reader.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "base/float_text.h"

namespace binnacle::collect::exposition {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kExactPower = 22;
constexpr uint64_t kExactInteger = uint64_t{1} << 53;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

std::optional<double> special(std::string_view unsigned_text, bool has_sign, bool negative) {
  if (is_word(unsigned_text, "inf") || is_word(unsigned_text, "infinity")) {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (!has_sign && is_word(unsigned_text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

}  // namespace

// Exact where the digits are an integer below 2^53 times or through a power of ten that a double
// holds (Clinger 1990, the fast path).
std::optional<double> read_plain_float(const char*& at, const char* end) {
  const char* p = at;
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  uint64_t digits = 0;
  const char* const first = p;
  while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
  auto count = p - first;
  int scale = 0;
  if (p != end && *p == '.') {
    const char* const point = p++;
    while (p != end && is_digit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
    scale = static_cast<int>(p - point - 1);
    count += scale;
  }
  if (count == 0 || count > 19 || digits > kExactInteger || scale > kExactPower)
    return std::nullopt;
  if (p != end && *p != ' ' && *p != '\n') return std::nullopt;
  at = p;
  auto value = static_cast<double>(digits);
  if (scale != 0) value /= kPowersOfTen[scale];
  return negative ? -value : value;
}

std::optional<double> read_float(std::string_view text) {
  std::string_view rest = text;
  const bool has_sign = !rest.empty() && (rest[0] == '-' || rest[0] == '+');
  const bool negative = has_sign && rest[0] == '-';
  if (has_sign) rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  if (!is_digit(rest[0]) && rest[0] != '.') return special(rest, has_sign, negative);
  double value = 0;
  const char* const end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(rest).c_str(), nullptr);  // tells too large from too small
    if (std::isinf(value)) return std::nullopt;
  }
  return negative ? -value : value;
}

std::string openmetrics_float(double v) {
  std::string text;
  append_float_text(text, v);
  if (std::isfinite(v) && text.find_first_of("e.") == std::string::npos) text += ".0";
  return text;
}

}  // namespace binnacle::collect::exposition
