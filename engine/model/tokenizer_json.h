// A Hugging Face tokenizer.json with a BPE model, read into a Tokenizer. Two kinds: byte level
// (GPT-2, Llama 3, Qwen 2) and that made from SentencePiece (Llama 2, Mistral);
// docs/formats/model-folder.md says what of the file is read and what is refused. Pure functions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {

inline constexpr size_t kMaxTokenizerBytes = size_t{64} << 20;

// `vocabulary`: of the model; a token beyond it is refused, an added one beyond it left out. `file`
// stands before each error.
Result<std::unique_ptr<Tokenizer>> parse_tokenizer_json(std::string_view text,
                                                        const std::string& file,
                                                        int32_t vocabulary);

}  // namespace binnacle::engine
