#include "base/letter_case.h"

#include "base/utf8.h"

#include <cstdint>

namespace binnacle {
namespace {

bool in(uint32_t c, uint32_t first, uint32_t last) { return c >= first && c <= last; }

// Blocks where the upper case letter is even (or odd) and its lower case letter follows it.
bool even_pairs(uint32_t c) {
  return in(c, 0x100, 0x137) || in(c, 0x14A, 0x177) || in(c, 0x460, 0x481) || in(c, 0x48A, 0x4BF) ||
         in(c, 0x4D0, 0x52F) || in(c, 0x1E00, 0x1E95);
}
bool odd_pairs(uint32_t c) { return in(c, 0x139, 0x148) || in(c, 0x179, 0x17E); }

// Letters of these blocks whose other case lies elsewhere, or which have none.
bool stands_alone(uint32_t c) { return c == 0x130 || c == 0x131; }

uint32_t upper(uint32_t c) {
  if (c < 0x80) return in(c, 'a', 'z') ? c - 0x20 : c;
  if (stands_alone(c)) return c == 0x131 ? 'I' : c;
  if (c == 0xB5) return 0x39C;  // the micro sign is a mu
  if (c == 0xFF) return 0x178;
  if (in(c, 0xE0, 0xFE) && c != 0xF7) return c - 0x20;
  if (even_pairs(c)) return c & ~1U;
  if (odd_pairs(c)) return (c - 1) | 1U;
  if (c == 0x3C2) return 0x3A3;
  if (in(c, 0x3B1, 0x3CB)) return c - 0x20;
  if (in(c, 0x430, 0x44F)) return c - 0x20;
  if (in(c, 0x450, 0x45F)) return c - 0x50;
  return c;
}

uint32_t lower(uint32_t c) {
  if (c < 0x80) return in(c, 'A', 'Z') ? c + 0x20 : c;
  if (stands_alone(c)) return c == 0x130 ? 'i' : c;
  if (c == 0x178) return 0xFF;
  if (in(c, 0xC0, 0xDE) && c != 0xD7) return c + 0x20;
  if (even_pairs(c)) return c | 1U;
  if (odd_pairs(c)) return (c + 1) & ~1U;
  if (in(c, 0x391, 0x3AB) && c != 0x3A2) return c + 0x20;
  if (in(c, 0x410, 0x42F)) return c + 0x20;
  if (in(c, 0x400, 0x40F)) return c + 0x50;
  return c;
}

// What a word is made of; what is not ASCII counts as a letter unless it is punctuation.
bool is_letter(uint32_t c) {
  return in(c, 'a', 'z') || in(c, 'A', 'Z') ||
         (c >= 0xAA && !in(c, 0xAB, 0xB4) && !in(c, 0xB6, 0xB9) && !in(c, 0xBB, 0xBF) &&
          !in(c, 0x2000, 0x206F) && !in(c, 0x3000, 0x303F));
}

template <typename Change>
std::string map(std::string_view text, Change change) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (step.valid) {
      append_utf8(out, change(utf8_code_point(text), text.substr(step.bytes)));
    } else {
      out += text.substr(0, step.bytes);
    }
    text.remove_prefix(step.bytes);
  }
  return out;
}

}  // namespace

std::string to_upper(std::string_view text) {
  return map(text, [](uint32_t c, std::string_view) { return upper(c); });
}

std::string to_lower(std::string_view text) {
  return map(text, [](uint32_t c, std::string_view) { return lower(c); });
}

std::string to_title(std::string_view text, bool lower_rest) {
  bool in_word = false;
  return map(text, [&](uint32_t c, std::string_view rest) {
    if (is_letter(c)) {
      const bool first = !in_word;
      in_word = true;
      return first ? upper(c) : lower_rest ? lower(c) : c;
    }
    // "it's", "a.b" and "a_b" are one word each (Unicode's word boundaries, UAX 29).
    const bool joins = c == '\'' || c == '.' || c == ':' || c == 0x2019;
    const bool goes_on = c == '_' || in(c, '0', '9') || (joins && is_letter(utf8_code_point(rest)));
    in_word = in_word && goes_on;
    return c;
  });
}

}  // namespace binnacle
