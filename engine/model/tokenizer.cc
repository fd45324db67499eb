#include "engine/model/tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/utf8.h"
#include "engine/model/model_folder.h"
#include "engine/model/tokenizer_json.h"

namespace binnacle::engine {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  ByteTokenizer() {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i);
  }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> out;
    out.reserve(text.size());
    for (const char byte : text) out.push_back(static_cast<unsigned char>(byte));
    return out;
  }

  std::string_view bytes_of(int32_t token) const override {
    if (token < 0 || static_cast<size_t>(token) >= bytes_.size()) return "";
    return {bytes_.data() + token, 1};
  }

  int32_t vocabulary() const override { return kByteVocabulary; }

  int32_t special_token(std::string_view text) const override {
    if (text == "<|begin|>") return kByteBegin;
    return text == "<|end|>" ? kByteEnd : -1;
  }

 private:
  std::array<char, 256> bytes_{};  // fixed after construction
};

// How many bytes a character with this first byte has; 1 where no character begins so.
size_t told_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xF0 && byte <= 0xF4) return 4;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  return byte >= 0xC2 && byte < 0xE0 ? 2 : 1;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& model_folder,
                                                  FileSystem& files) {
  TRY_ASSIGN(const ModelConfig config, read_model_config(model_folder, files));
  const std::string path = model_folder + "/tokenizer.json";
  if (files.exists(path)) {
    TRY_ASSIGN(const std::string text, files.read_file(path, kMaxTokenizerBytes));
    return parse_tokenizer_json(text, path, config.vocabulary);
  }
  if (config.vocabulary == kByteVocabulary) return byte_tokenizer();
  return fail(Code::kNotFound,
              fmt::format("{}: is missing, and a vocabulary of {} is not that of bytes ({})", path,
                          config.vocabulary, kByteVocabulary));
}

std::unique_ptr<Tokenizer> byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

std::string TextAssembler::add(int32_t token) {
  pending_ += tokenizer_.bytes_of(token);
  std::string out;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    // Broken up to the end, but more bytes may make it whole.
    if (!step.valid && step.bytes == rest.size() && told_size(rest.front()) > rest.size()) break;
    out += step.valid ? rest.substr(0, step.bytes) : kReplacementCharacter;
    rest.remove_prefix(step.bytes);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return out;
}

std::string TextAssembler::finish() { return to_valid_utf8(std::exchange(pending_, {})); }

}  // namespace binnacle::engine
