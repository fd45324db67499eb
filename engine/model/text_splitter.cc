#include "engine/model/text_splitter.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/utf8.h"

namespace binnacle::engine {
namespace {

constexpr std::string_view kGpt2Regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr uint32_t kLongS = 0x17F;  // folds to s where case is ignored

enum class Kind : uint8_t { kLetter, kNumber, kSpace, kOther };

bool is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

Kind kind_of(uint32_t c) {
  if (is_space(c)) return Kind::kSpace;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return Kind::kLetter;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return Kind::kNumber;
  return Kind::kOther;
}

struct Character {
  uint32_t code = 0;
  Kind kind = Kind::kOther;
  size_t offset = 0;
};

// A position is an index of a character; each alternative gives where its match ends, or where it
// began when there is none. They are asked in the order of the pattern.
class Splitter {
 public:
  Splitter(SplitPattern pattern, std::string_view text) : pattern_(pattern), text_(text) {
    chars_.reserve(text.size());
    for (size_t at = 0; at < text.size();) {
      const std::string_view rest = text.substr(at);
      const uint32_t code = utf8_code_point(rest);
      chars_.push_back({code, kind_of(code), at});
      at += std::max<size_t>(utf8_step(rest).bytes, 1);
    }
  }

  void split(std::vector<std::string_view>& pieces) const {
    for (size_t at = 0; at < chars_.size();) {
      const size_t end = pattern_ == SplitPattern::kDigits ? digits_end(at) : match_end(at);
      pieces.push_back(text_.substr(offset(at), offset(end) - offset(at)));
      at = end;
    }
  }

 private:
  bool is(size_t at, Kind kind) const { return at < chars_.size() && chars_[at].kind == kind; }
  bool is_code(size_t at, uint32_t code) const {
    return at < chars_.size() && chars_[at].code == code;
  }
  bool is_newline(size_t at) const { return is_code(at, '\r') || is_code(at, '\n'); }
  size_t offset(size_t at) const { return at < chars_.size() ? chars_[at].offset : text_.size(); }
  size_t run_end(size_t at, Kind kind) const {
    while (is(at, kind)) ++at;
    return at;
  }

  size_t digits_end(size_t at) const {
    if (is(at, Kind::kNumber)) return at + 1;
    while (at < chars_.size() && !is(at, Kind::kNumber)) ++at;
    return at;
  }

  size_t match_end(size_t at) const {
    size_t end = contraction_end(at);
    if (end == at) end = letters_end(at);
    if (end == at) end = numbers_end(at);
    if (end == at) end = others_end(at);
    if (end == at) end = spaces_end(at);
    return end;
  }

  // Only the newer patterns ignore case.
  bool is_letter(size_t at, char letter) const {
    if (is_code(at, static_cast<uint32_t>(letter))) return true;
    if (pattern_ == SplitPattern::kGpt2) return false;
    return is_code(at, static_cast<uint32_t>(letter - 'a' + 'A')) ||
           (letter == 's' && is_code(at, kLongS));
  }

  size_t contraction_end(size_t at) const {
    if (!is_code(at, '\'')) return at;
    for (const char one : {'s', 't', 'm', 'd'}) {
      if (is_letter(at + 1, one)) return at + 2;
    }
    constexpr std::array kTwo = {std::pair('r', 'e'), std::pair('v', 'e'), std::pair('l', 'l')};
    for (const auto& [first, second] : kTwo) {
      if (is_letter(at + 1, first) && is_letter(at + 2, second)) return at + 3;
    }
    return at;
  }

  // Before the letters GPT-2 takes a space, the newer ones anything but a newline or number.
  size_t letters_end(size_t at) const {
    if (is(at, Kind::kLetter)) return run_end(at, Kind::kLetter);
    const bool leads = pattern_ == SplitPattern::kGpt2 ? is_code(at, ' ')
                                                       : !is_newline(at) && !is(at, Kind::kNumber);
    return leads && is(at + 1, Kind::kLetter) ? run_end(at + 1, Kind::kLetter) : at;
  }

  size_t numbers_end(size_t at) const {
    if (pattern_ == SplitPattern::kGpt2) {
      const size_t begin = is_code(at, ' ') ? at + 1 : at;
      return is(begin, Kind::kNumber) ? run_end(begin, Kind::kNumber) : at;
    }
    const size_t most = pattern_ == SplitPattern::kLlama3 ? 3 : 1;
    return std::min(run_end(at, Kind::kNumber), at + most);
  }

  size_t others_end(size_t at) const {
    const size_t begin = is_code(at, ' ') ? at + 1 : at;
    if (!is(begin, Kind::kOther)) return at;
    size_t end = run_end(begin, Kind::kOther);
    if (pattern_ == SplitPattern::kGpt2) return end;
    while (is_newline(end)) ++end;
    return end;
  }

  // Through the last newline of the run; else all but the last space, which goes with what follows.
  size_t spaces_end(size_t at) const {
    const size_t end = run_end(at, Kind::kSpace);
    if (pattern_ != SplitPattern::kGpt2) {
      for (size_t last = end; last > at; --last) {
        if (is_newline(last - 1)) return last;
      }
    }
    return end == chars_.size() || end - at == 1 ? end : end - 1;
  }

  const SplitPattern pattern_;
  const std::string_view text_;
  std::vector<Character> chars_;
};

}  // namespace

SplitPattern known_split_pattern(std::string_view regex) {
  if (regex == kGpt2Regex) return SplitPattern::kGpt2;
  if (regex == kLlama3Regex) return SplitPattern::kLlama3;
  if (regex == kQwen2Regex) return SplitPattern::kQwen2;
  return SplitPattern::kNone;
}

void split_text(SplitPattern pattern, std::string_view text,
                std::vector<std::string_view>& pieces) {
  if (text.empty()) return;
  if (pattern == SplitPattern::kNone) {
    pieces.push_back(text);
    return;
  }
  Splitter(pattern, text).split(pieces);
}

}  // namespace binnacle::engine
