// The two kinds of BPE tokenizer, built from what a tokenizer.json says. Immutable once built; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/model/bpe_merger.h"
#include "engine/model/text_splitter.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {

// What both kinds have. `pieces` are a vocabulary's texts: raw bytes at byte level, else as the
// file has them.
struct BpeParts {
  std::unordered_map<std::string, int32_t> ids;
  BpeMerger merger;
  std::map<std::string, int32_t, std::less<>> added;  // special and other added tokens
  std::vector<std::string> bytes;                     // by token; "" of special ones
  int32_t vocabulary = 0;
};

class ByteLevelBpe final : public Tokenizer {
 public:
  struct Options {
    std::vector<SplitPattern> splits;  // one after the other
    bool compose = false;              // to NFC first
    bool whole_pieces_first = false;   // a piece that is a token is taken unmerged
    bool leading_space = false;        // a text that has none gets one
  };

  // `parts.ids` holds each of the 256 bytes.
  ByteLevelBpe(BpeParts parts, Options options);

  std::vector<int32_t> encode(std::string_view text) const override;
  std::string_view bytes_of(int32_t token) const override;
  int32_t vocabulary() const override { return parts_.vocabulary; }
  int32_t special_token(std::string_view text) const override;

 private:
  void encode_piece(std::string_view piece, std::vector<int32_t>& out) const;

  const BpeParts parts_;
  const Options options_;
  std::array<int32_t, 256> byte_tokens_{};
};

class CharacterBpe final : public Tokenizer {
 public:
  enum class Prefix : uint8_t { kNone, kAlways, kUnlessThere };  // the mark of a word before a text
  struct Options {
    Prefix prefix = Prefix::kAlways;
    bool split_words = false;  // no merge crosses the beginning of a word
    bool fuse_unknown = true;
    int32_t unknown = -1;  // -1: what is unknown is left out
    bool byte_fallback = true;
  };

  CharacterBpe(BpeParts parts, Options options);

  std::vector<int32_t> encode(std::string_view text) const override;
  std::string_view bytes_of(int32_t token) const override;
  int32_t vocabulary() const override { return parts_.vocabulary; }
  int32_t special_token(std::string_view text) const override;

 private:
  void encode_piece(std::string_view piece, std::vector<int32_t>& out) const;
  void append_character(std::string_view character, std::vector<int32_t>& out) const;

  const BpeParts parts_;
  const Options options_;
  std::array<int32_t, 256> byte_tokens_{};  // of fallback; -1 in all when one is missing
};

inline constexpr std::string_view kWordMark = "\xE2\x96\x81";  // U+2581, for a space

// The byte that a character of GPT-2's printable alphabet stands for; -1 when it is none of it.
int32_t alphabet_byte(uint32_t code_point);

}  // namespace binnacle::engine
