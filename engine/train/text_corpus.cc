#include "engine/train/text_corpus.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/utf8.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {
namespace {

class Reader {
 public:
  Reader(FileSystem& files, const CorpusOptions& options) : files_(files), options_(options) {}

  Status folder(const std::string& path, size_t depth) {
    if (depth > options_.max_depth) {
      return fail(Code::kOutOfRange,
                  fmt::format("{}: more than {} folders deep", path, options_.max_depth));
    }
    TRY_ASSIGN(const auto entries, files_.list(path));
    for (const DirEntry& entry : entries) {
      const std::string inner = path + "/" + entry.name;
      if (files_.read_link(inner)) continue;
      TRY(entry.is_directory ? folder(inner, depth + 1) : file(inner));
    }
    return {};
  }

  TextCorpus corpus;

 private:
  Status file(const std::string& path) {
    if (++corpus.files > options_.max_files) {
      return fail(
          Code::kOutOfRange,
          fmt::format("more than {} files, at {}: name a smaller folder, or raise --max-files",
                      options_.max_files, path));
    }
    auto text = files_.read_file(path, options_.max_bytes - bytes_);
    if (!text && text.error().code == Code::kOutOfRange) {
      return fail(Code::kOutOfRange,
                  fmt::format("more than {} bytes of text, at {}: name a smaller folder, or raise "
                              "--max-bytes",
                              options_.max_bytes, path));
    }
    if (!text) return fail(std::move(text).error());
    if (const auto at = binary_at(*text)) {
      if (options_.skip_binary) {
        ++corpus.skipped;
        return {};
      }
      return fail(
          Code::kInvalidArgument,
          fmt::format("{} is no text: byte {} is no UTF-8. Take the file away, or leave such "
                      "files out with --skip-binary",
                      path, *at));
    }
    bytes_ += text->size();
    add(*text);
    return {};
  }

  // Where a text stops to be one.
  static std::optional<size_t> binary_at(std::string_view text) {
    if (is_valid_utf8(text) && text.find('\0') == std::string_view::npos) return std::nullopt;
    size_t at = 0;
    while (at < text.size() && text[at] != '\0') {
      const Utf8Step step = utf8_step(text.substr(at));
      if (!step.valid) break;
      at += step.bytes;
    }
    return at;
  }

  void add(std::string_view text) {
    if (text.empty()) return;
    const auto kept = text.size() - static_cast<size_t>(static_cast<double>(text.size()) *
                                                        options_.validation_share);
    append(corpus.training, text.substr(0, kept));
    append(corpus.validation, text.substr(kept));
  }

  static void append(std::vector<uint16_t>& tokens, std::string_view text) {
    if (text.empty()) return;
    tokens.push_back(kByteBegin);
    for (const char c : text) tokens.push_back(static_cast<uint8_t>(c));
    tokens.push_back(kByteEnd);
  }

  FileSystem& files_;
  const CorpusOptions& options_;
  size_t bytes_ = 0;
};

}  // namespace

Result<TextCorpus> TextCorpus::read(FileSystem& files, const std::string& folder, size_t least,
                                    const CorpusOptions& options) {
  Reader reader(files, options);
  if (auto status = reader.folder(folder, 0); !status) {
    return fail(std::move(status).error().with_context("texts to train on"));
  }
  TextCorpus corpus = std::move(reader.corpus);
  if (corpus.training.size() < least) {
    return fail(Code::kInvalidArgument,
                fmt::format("texts to train on: {} holds {} tokens in {} files, one sequence needs "
                            "{}. Add texts, or shorten sequences with --length",
                            folder, corpus.training.size(), corpus.files - corpus.skipped, least));
  }
  // Texts too short to spare some are validated with as they are trained on.
  if (corpus.validation.size() < least) corpus.validation = corpus.training;
  corpus.fingerprint = XXH3_64bits_withSeed(
      corpus.training.data(), corpus.training.size() * sizeof(uint16_t),
      XXH3_64bits(corpus.validation.data(), corpus.validation.size() * sizeof(uint16_t)));
  return corpus;
}

}  // namespace binnacle::engine
