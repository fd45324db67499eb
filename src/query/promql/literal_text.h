// Literals of PromQL and of its messages as text, in the layouts of Go, whose quoting rules the
// language has taken over; and back. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle::query::promql {

struct Rune {
  char32_t value = 0;
  uint32_t bytes = 0;  // 0 at the end
  bool valid = false;  // else U+FFFD for one broken byte
};
Rune first_rune(std::string_view text);

std::string in_quotes(std::string_view text);                    // %q: "a\n\x00"
std::string quoted_rune(char32_t rune);                          // %q: 'a'
std::string described_rune(char32_t rune);                       // %#U: U+0071 'q'
std::string quoted_prefix(std::string_view text, size_t runes);  // %.10q

// What a string token stands for: quotes off, escapes replaced. The lexer has checked the escapes.
std::string unquoted(std::string_view token);

// Plain digits, shortest that read back the same, never an exponent: 0.001, 100000, +Inf.
std::string plain_number_text(double value);

// A number token: decimal, hexadecimal, octal (0 in front), with underscores, Inf, NaN. The error
// says why not.
Result<double> parse_number(std::string_view token);

// A duration token: 1h30m, in nanoseconds.
Result<int64_t> parse_duration_token_ns(std::string_view token);

}  // namespace binnacle::query::promql
