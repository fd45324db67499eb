#include "base/template_literal.h"

#include "base/utf8.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace binnacle {
namespace {

Unexpected bad_number(std::string_view text) {
  return fail(Code::kInvalidArgument, fmt::format("{:?} is not a number", text));
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

struct Base {
  int base = 10;
  size_t prefix = 0;
};

Base base_of(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') return {};
  switch (digits[1]) {
    case 'x':
    case 'X':
      return {16, 2};
    case 'b':
    case 'B':
      return {2, 2};
    case 'o':
    case 'O':
      return {8, 2};
    default:
      return {8, 1};
  }
}

// Go takes a '_' between digits.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || digit_value(text[i + 1]) > 15) {
      return std::nullopt;
    }
  }
  return out;
}

// One character of a quoted text, which may be an escape; takes it off `rest`.
class Unquoter {
 public:
  Unquoter(std::string_view rest, char quote) : rest_(rest), quote_(quote) {}
  bool done() const { return rest_.empty(); }

  Result<std::string> character() {
    if (rest_[0] != '\\') {
      const size_t bytes = utf8_step(rest_).bytes;
      return std::string(take(bytes));
    }
    if (rest_.size() < 2) return bad();
    const char c = rest_[1];
    constexpr std::string_view kLetters = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    if (const size_t i = kLetters.find(c); i != std::string_view::npos) {
      take(2);
      return std::string(1, kMeanings[i]);
    }
    if (c == quote_) return std::string(take(2).substr(1));
    switch (c) {
      case 'x':
        return byte(2, 2, 16);
      case 'u':
        return point(4);
      case 'U':
        return point(8);
      default:
        return byte(1, 3, 8);
    }
  }

 private:
  std::string_view take(size_t bytes) {
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  Unexpected bad() const {
    return fail(Code::kInvalidArgument,
                fmt::format("unknown escape in a text: {:?}", rest_.substr(0, 2)));
  }

  Result<int64_t> digits(size_t skip, size_t count, int base) {
    if (rest_.size() < skip + count) return bad();
    int64_t value = 0;
    for (const char c : rest_.substr(skip, count)) {
      if (digit_value(c) >= base) return bad();
      value = value * base + digit_value(c);
    }
    take(skip + count);
    return value;
  }

  Result<std::string> byte(size_t skip, size_t count, int base) {
    const Unexpected failure = bad();
    TRY_ASSIGN(const int64_t value, digits(skip, count, base));
    if (value > 255) return failure;
    return std::string(1, static_cast<char>(value));
  }

  Result<std::string> point(size_t count) {
    const Unexpected failure = bad();
    TRY_ASSIGN(const int64_t value, digits(2, count, 16));
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return failure;
    std::string out;
    append_utf8(out, value);
    return out;
  }

  std::string_view rest_;
  char quote_;
};

}  // namespace

Result<TemplateValue> parse_template_number(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty()) return bad_number(text);
  const Base base = base_of(digits);
  const auto plain =
      without_underscores(digits.substr(base.base == 8 && base.prefix == 1 ? 0 : base.prefix));
  if (!plain || plain->empty()) return bad_number(text);
  const char* const end = plain->data() + plain->size();
  uint64_t magnitude = 0;
  const auto whole = std::from_chars(plain->data(), end, magnitude, base.base);
  if (whole.ptr == end && whole.ec == std::errc()) {
    const uint64_t limit = uint64_t{1} << 63U;
    if (magnitude > limit || (magnitude == limit && !negative))
      return fail(Code::kInvalidArgument, fmt::format("{} does not fit into 64 bits", text));
    return TemplateValue(static_cast<int64_t>(negative ? 0 - magnitude : magnitude));
  }
  if (whole.ec == std::errc::result_out_of_range && whole.ptr == end)
    return fail(Code::kInvalidArgument, fmt::format("{} does not fit into 64 bits", text));
  const bool hexadecimal = base.base == 16;
  if (!hexadecimal && base.prefix == 2) return bad_number(text);
  double value = 0;
  const auto read = std::from_chars(
      plain->data(), end, value, hexadecimal ? std::chars_format::hex : std::chars_format::general);
  const bool starts_as_number = digit_value(plain->front()) < 16 || plain->front() == '.';
  if (read.ptr != end || read.ec != std::errc() || !starts_as_number || !std::isfinite(value))
    return bad_number(text);
  return TemplateValue(negative ? -value : value);
}

Result<std::string> parse_template_string(std::string_view quoted) {
  Unquoter unquoter(quoted.substr(1, quoted.size() - 2), quoted[0]);
  std::string out;
  while (!unquoter.done()) {
    TRY_ASSIGN(const std::string character, unquoter.character());
    out += character;
  }
  return out;
}

Result<int64_t> parse_template_character(std::string_view quoted) {
  Unquoter unquoter(quoted.substr(1, quoted.size() - 2), quoted[0]);
  const auto wrong = [&] {
    return fail(Code::kInvalidArgument, fmt::format("{} is not one character", quoted));
  };
  if (unquoter.done()) return wrong();
  TRY_ASSIGN(const std::string character, unquoter.character());
  if (!unquoter.done()) return wrong();
  return utf8_code_point(character);
}

}  // namespace binnacle
