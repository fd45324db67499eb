#include "engine/model/bpe_tokenizer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace binnacle::engine {
namespace {

std::string_view bytes_in(const BpeParts& parts, int32_t token) {
  if (token < 0 || static_cast<size_t>(token) >= parts.bytes.size()) return "";
  return parts.bytes[static_cast<size_t>(token)];
}

int32_t special_in(const BpeParts& parts, std::string_view text) {
  const auto at = parts.added.find(text);
  return at == parts.added.end() ? -1 : at->second;
}

int32_t id_in(const BpeParts& parts, std::string_view text) {
  const auto at = parts.ids.find(std::string(text));
  return at == parts.ids.end() ? -1 : at->second;
}

// Composed characters, as NFC of Unicode has them. ASCII is composed as it stands.
std::string composed(std::string text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return text;
  }
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, &std::free);
  if (size < 0) return text;
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(size)};
}

bool is_printable_latin(int32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

}  // namespace

// Bytes that Latin-1 prints stand for themselves; the others are numbered from U+0100 on.
int32_t alphabet_byte(uint32_t code_point) {
  if (code_point < 0x100) {
    const auto byte = static_cast<int32_t>(code_point);
    return is_printable_latin(byte) ? byte : -1;
  }
  uint32_t next = 0x100;
  for (int32_t byte = 0; byte < 0x100; ++byte) {
    if (is_printable_latin(byte)) continue;
    if (next++ == code_point) return byte;
  }
  return -1;
}

ByteLevelBpe::ByteLevelBpe(BpeParts parts, Options options)
    : parts_(std::move(parts)), options_(std::move(options)) {
  for (size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    byte_tokens_[byte] = id_in(parts_, std::string(1, static_cast<char>(byte)));
    CHECK(byte_tokens_[byte] >= 0);
  }
}

std::vector<int32_t> ByteLevelBpe::encode(std::string_view text) const {
  if (text.empty()) return {};
  std::string whole = to_valid_utf8(text);
  if (options_.compose) whole = composed(std::move(whole));
  if (options_.leading_space && !whole.starts_with(' ')) whole.insert(0, " ");
  std::vector<std::string_view> pieces = {whole};
  for (const SplitPattern pattern : options_.splits) {
    std::vector<std::string_view> finer;
    for (const std::string_view piece : pieces) split_text(pattern, piece, finer);
    pieces = std::move(finer);
  }
  std::vector<int32_t> out;
  out.reserve(text.size() / 3);
  for (const std::string_view piece : pieces) encode_piece(piece, out);
  return out;
}

void ByteLevelBpe::encode_piece(std::string_view piece, std::vector<int32_t>& out) const {
  if (options_.whole_pieces_first) {
    if (const int32_t whole = id_in(parts_, piece); whole >= 0) {
      out.push_back(whole);
      return;
    }
  }
  std::vector<int32_t> tokens;
  tokens.reserve(piece.size());
  for (const char byte : piece) tokens.push_back(byte_tokens_[static_cast<unsigned char>(byte)]);
  parts_.merger.merge(tokens);
  out.insert(out.end(), tokens.begin(), tokens.end());
}

std::string_view ByteLevelBpe::bytes_of(int32_t token) const { return bytes_in(parts_, token); }
int32_t ByteLevelBpe::special_token(std::string_view text) const {
  return special_in(parts_, text);
}

CharacterBpe::CharacterBpe(BpeParts parts, Options options)
    : parts_(std::move(parts)), options_(options) {
  byte_tokens_.fill(-1);
  if (!options_.byte_fallback) return;
  for (size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    byte_tokens_[byte] = id_in(parts_, fmt::format("<0x{:02X}>", byte));
  }
}

std::vector<int32_t> CharacterBpe::encode(std::string_view text) const {
  std::vector<int32_t> out;
  if (text.empty()) return out;
  std::string whole;
  for (const char c : to_valid_utf8(text)) {
    if (c == ' ') {
      whole += kWordMark;
    } else {
      whole += c;
    }
  }
  const bool there = options_.prefix == Prefix::kUnlessThere && whole.starts_with(kWordMark);
  if (options_.prefix != Prefix::kNone && !there) whole.insert(0, kWordMark);
  if (!options_.split_words) {
    encode_piece(whole, out);
    return out;
  }
  for (size_t begin = 0; begin < whole.size();) {
    const size_t end = std::min(whole.find(kWordMark, begin + 1), whole.size());
    encode_piece(std::string_view(whole).substr(begin, end - begin), out);
    begin = end;
  }
  return out;
}

void CharacterBpe::encode_piece(std::string_view piece, std::vector<int32_t>& out) const {
  std::vector<int32_t> tokens;
  tokens.reserve(piece.size());
  while (!piece.empty()) {
    const size_t size = std::max<size_t>(utf8_step(piece).bytes, 1);
    append_character(piece.substr(0, size), tokens);
    piece.remove_prefix(size);
  }
  parts_.merger.merge(tokens);
  out.insert(out.end(), tokens.begin(), tokens.end());
}

void CharacterBpe::append_character(std::string_view character, std::vector<int32_t>& out) const {
  if (const int32_t token = id_in(parts_, character); token >= 0) {
    out.push_back(token);
    return;
  }
  const auto token_of = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
  if (std::ranges::all_of(character, [&](char byte) { return token_of(byte) >= 0; })) {
    for (const char byte : character) out.push_back(token_of(byte));
    return;
  }
  if (options_.unknown < 0) return;
  const bool fused = options_.fuse_unknown && !out.empty() && out.back() == options_.unknown;
  if (!fused) out.push_back(options_.unknown);
}

std::string_view CharacterBpe::bytes_of(int32_t token) const { return bytes_in(parts_, token); }
int32_t CharacterBpe::special_token(std::string_view text) const {
  return special_in(parts_, text);
}

}  // namespace binnacle::engine
