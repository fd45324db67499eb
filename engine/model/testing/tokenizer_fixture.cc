#include "engine/model/testing/tokenizer_fixture.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"
#include "engine/model/bpe_tokenizer.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

json added(int id, const char* text) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

json llama3_like() {
  json vocab;
  for (uint32_t code = 0; code < 0x200; ++code) {
    const int32_t byte = alphabet_byte(code);
    if (byte < 0) continue;
    std::string text;
    append_utf8(text, code);
    vocab[text] = byte == ' ' ? 261 : byte;
  }
  vocab["ll"] = 257;
  vocab["he"] = 258;
  vocab["hell"] = 259;
  vocab["hello"] = 260;
  const char* const regex =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", regex}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", false}};
  json file;
  file["version"] = "1.0";
  file["truncation"] = nullptr;
  file["padding"] = nullptr;
  file["added_tokens"] = {added(300, "<|begin_of_text|>"), added(301, "<|eot_id|>"),
                          added(302, "<|start_header_id|>"), added(303, "<|end_header_id|>")};
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}};
  file["post_processor"] = byte_level;
  file["decoder"] = byte_level;
  file["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", true},
                   {"vocab", vocab},
                   {"merges", {"l l", "h e", "he ll", "hell o"}}};
  return file;
}

json llama2_like() {
  const std::string mark(kWordMark);
  json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  vocab[mark] = 259;
  vocab["h"] = 260;
  vocab["i"] = 261;
  vocab[mark + "h"] = 262;
  vocab[mark + "hi"] = 263;
  vocab["["] = 264;
  vocab["]"] = 265;
  const json prepend = {{"type", "Prepend"}, {"prepend", mark}};
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", mark}};
  json file;
  file["version"] = "1.0";
  file["added_tokens"] = {added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {prepend, replace}}};
  file["pre_tokenizer"] = nullptr;
  file["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", "<unk>"},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", true},
                   {"byte_fallback", true},
                   {"vocab", vocab},
                   {"merges", {mark + " h", mark + "h i"}}};
  return file;
}

}  // namespace binnacle::engine
