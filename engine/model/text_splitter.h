// Cuts a text into the pieces within which byte-level BPE merges. The patterns of the families look
// ahead, which RE2 does not; so the few that are known are written out here and another one is
// refused. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace binnacle::engine {

enum class SplitPattern : uint8_t {
  kNone,
  kGpt2,
  kLlama3,  // up to three digits in a piece
  kQwen2,   // as Llama 3, each digit a piece
  kDigits,  // each digit a piece, nothing else is cut
};

// By the pattern's text as tokenizer.json has it; kNone where it is not known.
SplitPattern known_split_pattern(std::string_view regex);

// Appends the pieces of `text`, valid UTF-8, in order; together they are the text.
void split_text(SplitPattern pattern, std::string_view text, std::vector<std::string_view>& pieces);

}  // namespace binnacle::engine
