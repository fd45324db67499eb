#include "engine/model/tokenizer_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json_parse.h"
#include "base/utf8.h"
#include "engine/model/bpe_tokenizer.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

constexpr size_t kMaxShownBytes = 120;
constexpr size_t kMaxAddedTokens = 1 << 16;

std::string shown(std::string_view text) { return to_valid_utf8(text.substr(0, kMaxShownBytes)); }

// Absent and null are the same in these files.
const json* find(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

std::string text_of(const json& object, std::string_view key, std::string otherwise = "") {
  const json* const value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : otherwise;
}

bool flag_of(const json& object, std::string_view key, bool otherwise) {
  const json* const value = find(object, key);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

// A Sequence as the list of its parts, anything else as a list of itself.
std::vector<const json*> parts_of(const json* value, std::string_view list_key) {
  std::vector<const json*> out;
  if (value == nullptr) return out;
  if (text_of(*value, "type") != "Sequence") return {value};
  if (const json* const list = find(*value, list_key); list != nullptr && list->is_array()) {
    for (const json& part : *list) out.push_back(&part);
  }
  return out;
}

class Reader {
 public:
  Reader(const json& file, std::string name, int32_t vocabulary)
      : file_(file), name_(std::move(name)), vocabulary_(vocabulary) {}

  Result<std::unique_ptr<Tokenizer>> read() {
    TRY(find_model());
    TRY(read_normalizers());
    TRY(read_pre_tokenizers());
    TRY(read_vocabulary());
    TRY(read_merges());
    if (!byte_level_) TRY(read_unknown());
    TRY(read_added());
    if (byte_level_) {
      TRY(require_bytes());
      bytes_.whole_pieces_first = flag_of(*model_, "ignore_merges", false);
      return std::make_unique<ByteLevelBpe>(std::move(parts_), std::move(bytes_));
    }
    return std::make_unique<CharacterBpe>(std::move(parts_), characters_);
  }

 private:
  Unexpected broken(const std::string& what) const {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}", name_, what));
  }
  Unexpected unsupported(const std::string& what) const {
    return fail(Code::kUnimplemented, fmt::format("{}: {} is not supported", name_, what));
  }

  Status find_model() {
    model_ = find(file_, "model");
    if (model_ == nullptr || !model_->is_object()) return broken("has no model");
    const std::string type = text_of(*model_, "type", "BPE");
    if (type != "BPE")
      return unsupported(fmt::format("model type \"{}\" (known: BPE)", shown(type)));
    if (const json* const dropout = find(*model_, "dropout");
        dropout != nullptr && *dropout != 0.0) {
      return unsupported("dropout of merges");
    }
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!text_of(*model_, key).empty()) return unsupported(std::string(key));
    }
    return {};
  }

  Status read_normalizers() {
    for (const json* const part : parts_of(find(file_, "normalizer"), "normalizers")) {
      const std::string type = text_of(*part, "type");
      if (type == "NFC") {
        bytes_.compose = true;
      } else if (type == "Prepend" && text_of(*part, "prepend") == kWordMark) {
        prefix_ = CharacterBpe::Prefix::kAlways;
        marks_words_ = true;
      } else if (type == "Replace" && replaces_spaces(*part)) {
        marks_words_ = true;
      } else {
        return unsupported(fmt::format("normalizer \"{}\"", shown(type)));
      }
    }
    return {};
  }

  static bool replaces_spaces(const json& part) {
    const json* const pattern = find(part, "pattern");
    return pattern != nullptr && text_of(*pattern, "String") == " " &&
           text_of(part, "content") == kWordMark;
  }

  Status read_pre_tokenizers() {
    const auto parts = parts_of(find(file_, "pre_tokenizer"), "pretokenizers");
    for (const json* const part : parts) {
      const std::string type = text_of(*part, "type");
      if (type == "Split") {
        TRY(read_split(*part));
      } else if (type == "Digits") {
        if (!flag_of(*part, "individual_digits", false)) {
          return unsupported("pre-tokenizer \"Digits\" without individual_digits");
        }
        bytes_.splits.push_back(SplitPattern::kDigits);
      } else if (type == "ByteLevel") {
        TRY(read_byte_level(*part, parts.size()));
      } else if (type == "Metaspace") {
        TRY(read_metaspace(*part));
      } else {
        return unsupported(fmt::format("pre-tokenizer \"{}\"", shown(type)));
      }
    }
    if (byte_level_ && marks_words_) return unsupported("a byte level that marks words");
    if (!byte_level_ && !marks_words_) {
      return unsupported("BPE that is neither byte level nor made from SentencePiece");
    }
    if (!byte_level_ && (!bytes_.splits.empty() || bytes_.compose)) {
      return unsupported("SentencePiece's BPE with a Split, Digits or NFC");
    }
    characters_.prefix = prefix_;
    return {};
  }

  Status read_split(const json& part) {
    const json* const pattern = find(part, "pattern");
    const std::string regex = pattern == nullptr ? "" : text_of(*pattern, "Regex");
    const SplitPattern known = known_split_pattern(regex);
    if (known == SplitPattern::kNone) {
      return unsupported(
          fmt::format("split pattern \"{}\" (known: GPT-2's, Llama 3's, Qwen 2's)", shown(regex)));
    }
    if (text_of(part, "behavior") != "Isolated" || flag_of(part, "invert", false)) {
      return unsupported("a Split that is not \"Isolated\"");
    }
    bytes_.splits.push_back(known);
    return {};
  }

  Status read_byte_level(const json& part, size_t parts) {
    byte_level_ = true;
    if (flag_of(part, "use_regex", true)) bytes_.splits.push_back(SplitPattern::kGpt2);
    if (!flag_of(part, "add_prefix_space", true)) return {};
    if (parts > 1) return unsupported("add_prefix_space behind another pre-tokenizer");
    bytes_.leading_space = true;
    return {};
  }

  Status read_metaspace(const json& part) {
    if (text_of(part, "replacement", std::string(kWordMark)) != kWordMark) {
      return unsupported("a Metaspace with another mark than U+2581");
    }
    marks_words_ = true;
    const bool prefixed = flag_of(part, "add_prefix_space", true);
    const std::string scheme = text_of(part, "prepend_scheme", prefixed ? "always" : "never");
    if (scheme != "always" && scheme != "first" && scheme != "never") {
      return unsupported(fmt::format("prepend_scheme \"{}\"", shown(scheme)));
    }
    if (scheme != "never") prefix_ = CharacterBpe::Prefix::kUnlessThere;
    characters_.split_words = flag_of(part, "split", true);
    return {};
  }

  Status read_vocabulary() {
    const json* const vocabulary = find(*model_, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object() || vocabulary->empty()) {
      return broken("has no vocab");
    }
    parts_.vocabulary = vocabulary_;
    parts_.bytes.resize(static_cast<size_t>(vocabulary_));
    std::vector<bool> taken(static_cast<size_t>(vocabulary_));
    for (const auto& [text, id] : vocabulary->items()) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(vocabulary_)) {
        return broken(
            fmt::format("token \"{}\" has an id that is not 0 to {}, as vocab_size of "
                        "config.json asks",
                        shown(text), vocabulary_ - 1));
      }
      const auto token = id.get<int32_t>();
      if (taken[static_cast<size_t>(token)]) {
        return broken(fmt::format("token \"{}\" has the id {} of another", shown(text), token));
      }
      taken[static_cast<size_t>(token)] = true;
      std::string key = byte_level_ ? raw_bytes(text).value_or("") : text;
      // A special token of the vocabulary need not be spelt in the alphabet of bytes.
      if (key.empty()) continue;
      parts_.bytes[static_cast<size_t>(token)] = byte_level_ ? key : spoken(text);
      parts_.ids.emplace(std::move(key), token);
    }
    return {};
  }

  static std::optional<std::string> raw_bytes(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const int32_t byte = alphabet_byte(utf8_code_point(text));
      if (byte < 0) return std::nullopt;
      out += static_cast<char>(byte);
      text.remove_prefix(utf8_step(text).bytes);
    }
    return out;
  }

  // What a token of SentencePiece's puts into a text.
  static std::string spoken(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    if (text.size() == 6 && text.starts_with("<0x") && text.ends_with('>')) {
      const size_t high = kHex.find(text[3]);
      const size_t low = kHex.find(text[4]);
      if (high != std::string_view::npos && low != std::string_view::npos) {
        return std::string(1, static_cast<char>(high * 16 + low));
      }
    }
    std::string out;
    while (!text.empty()) {
      const bool mark = text.starts_with(kWordMark);
      out += mark ? ' ' : text.front();
      text.remove_prefix(mark ? kWordMark.size() : 1);
    }
    return out;
  }

  Status read_added() {
    const json* const added = find(file_, "added_tokens");
    if (added == nullptr) return {};
    if (!added->is_array() || added->size() > kMaxAddedTokens) {
      return broken(fmt::format("added_tokens is no list of at most {}", kMaxAddedTokens));
    }
    for (const json& token : *added) {
      const std::string text = text_of(token, "content");
      const json* const id = find(token, "id");
      if (text.empty() || id == nullptr || !id->is_number_unsigned()) {
        return broken("an added token lacks its content or id");
      }
      if (id->get<uint64_t>() >= static_cast<uint64_t>(vocabulary_)) continue;
      const auto number = id->get<int32_t>();
      parts_.added.emplace(text, number);
      const bool special = flag_of(token, "special", false);
      parts_.bytes[static_cast<size_t>(number)] = special ? "" : text;
      // So that no text can spell it.
      if (special) parts_.ids.erase(text);
    }
    return {};
  }

  Status read_merges() {
    const json* const merges = find(*model_, "merges");
    if (merges == nullptr || !merges->is_array()) return broken("has no merges");
    size_t number = 0;
    for (const json& merge : *merges) {
      TRY(read_merge(merge, number));
      ++number;
    }
    return {};
  }

  Status read_merge(const json& merge, size_t number) {
    std::string left;
    std::string right;
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
    } else if (merge.is_string()) {
      const auto text = merge.get<std::string>();
      const size_t space = text.find(' ');
      if (space != std::string::npos) {
        left = text.substr(0, space);
        right = text.substr(space + 1);
      }
    }
    if (left.empty() || right.empty()) {
      return broken(fmt::format("merge {} is not a pair of tokens", number));
    }
    const int32_t left_id = id_of(left);
    const int32_t right_id = id_of(right);
    const int32_t merged = id_of(left + right);
    if (left_id < 0 || right_id < 0 || merged < 0) {
      return broken(fmt::format("merge {} (\"{}\" \"{}\") is of tokens that vocab has not", number,
                                shown(left), shown(right)));
    }
    parts_.merger.add(left_id, right_id, merged);
    return {};
  }

  int32_t id_of(const std::string& text) const {
    const auto at = parts_.ids.find(byte_level_ ? raw_bytes(text).value_or("") : text);
    return at == parts_.ids.end() ? -1 : at->second;
  }

  Status require_bytes() const {
    for (int byte = 0; byte < 256; ++byte) {
      if (parts_.ids.contains(std::string(1, static_cast<char>(byte)))) continue;
      return broken(fmt::format("is of byte level, but its vocab lacks byte 0x{:02X}", byte));
    }
    return {};
  }

  Status read_unknown() {
    characters_.byte_fallback = flag_of(*model_, "byte_fallback", false);
    characters_.fuse_unknown = flag_of(*model_, "fuse_unk", false);
    const std::string unknown = text_of(*model_, "unk_token");
    if (unknown.empty()) return {};
    const auto at = parts_.ids.find(unknown);
    if (at == parts_.ids.end()) {
      return broken(fmt::format("unk_token \"{}\" is not in vocab", shown(unknown)));
    }
    characters_.unknown = at->second;
    return {};
  }

  const json& file_;
  const std::string name_;
  const int32_t vocabulary_;
  const json* model_ = nullptr;
  bool byte_level_ = false;
  bool marks_words_ = false;
  CharacterBpe::Prefix prefix_ = CharacterBpe::Prefix::kNone;
  BpeParts parts_;
  ByteLevelBpe::Options bytes_;
  CharacterBpe::Options characters_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> parse_tokenizer_json(std::string_view text,
                                                        const std::string& file,
                                                        int32_t vocabulary) {
  if (text.size() > kMaxTokenizerBytes) {
    return fail(Code::kInvalidArgument, fmt::format("{}: has {} bytes, more than {}", file,
                                                    text.size(), kMaxTokenizerBytes));
  }
  const json parsed = parse_json(text);
  if (parsed.is_discarded()) return fail(Code::kInvalidArgument, file + ": is not valid JSON");
  return Reader(parsed, file, vocabulary).read();
}

}  // namespace binnacle::engine
