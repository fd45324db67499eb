// Text to token ids and back. Byte level for our own models; the BPE of a Hugging Face
// tokenizer.json. Immutable after load; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  // Every character as text: what looks like a special token is none, so that no text of a user
  // can put one in. Nothing is put before the text, no begin token either. Broken UTF-8 becomes
  // U+FFFD where the family knows only characters.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  // The bytes of one token; a character may be spread over several. Special tokens give "".
  virtual std::string_view bytes_of(int32_t token) const = 0;
  virtual int32_t vocabulary() const = 0;
  // The id of a special or added token by its text, as "<|im_end|>"; -1 where there is none.
  virtual int32_t special_token(std::string_view text) const = 0;
};

// Token i is byte i; 256 begins, 257 ends.
inline constexpr int32_t kByteVocabulary = 258;
inline constexpr int32_t kByteBegin = 256;
inline constexpr int32_t kByteEnd = 257;

// tokenizer.json of the folder, else byte level when the vocabulary is kByteVocabulary. Errors name
// the file and what of it is not supported.
Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& model_folder,
                                                  FileSystem& files = real_file_system());
std::unique_ptr<Tokenizer> byte_tokenizer();

struct ChatMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
};
// "plain", "llama-2", "llama-3", "mistral" or "chatml": what the config says, else what the special
// tokens tell. kInvalidArgument for a name in the config that is none of these.
Result<std::string> chat_family(const ModelConfig& config, const Tokenizer& tokenizer);
// The prompt of a conversation whose next turn is the assistant's; where the last message is the
// assistant's own, the prompt that goes on with it. `family`: of chat_family(). The begin token is
// there where the family has one; control tokens come from here alone.
std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, std::string_view family,
                                 std::span<const ChatMessage> messages);

// Puts bytes of tokens together and gives what is whole: never half a character.
class TextAssembler {
 public:
  explicit TextAssembler(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  std::string add(int32_t token);
  std::string finish();  // what is left, broken characters as U+FFFD

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;
};

}  // namespace binnacle::engine
