// The prompts of chat models, as the templates that their makers publish have them. A control token
// is put in by its id; what a message holds is always encoded as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {
namespace {

constexpr std::array<std::string_view, 5> kFamilies = {"plain", "llama-2", "llama-3", "mistral",
                                                       "chatml"};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Text is collected between two control tokens and encoded as one, since merges and the mark of a
// beginning reach over the places where it was put together.
class Prompt {
 public:
  explicit Prompt(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void text(std::string_view more) { text_ += more; }

  void control(std::string_view token) {
    flush();
    const int32_t id = tokenizer_.special_token(token);
    if (id >= 0) tokens_.push_back(id);
  }

  std::vector<int32_t> take() {
    flush();
    return std::move(tokens_);
  }

 private:
  void flush() {
    const std::vector<int32_t> encoded = tokenizer_.encode(text_);
    tokens_.insert(tokens_.end(), encoded.begin(), encoded.end());
    text_.clear();
  }

  const Tokenizer& tokenizer_;
  std::string text_;
  std::vector<int32_t> tokens_;
};

using Messages = std::span<const ChatMessage>;

// Whether the i-th message is the beginning of the answer that is wanted.
bool is_begun(Messages messages, size_t i) {
  return i + 1 == messages.size() && messages[i].role == "assistant";
}
bool is_answer_begun(Messages messages) {
  return !messages.empty() && is_begun(messages, messages.size() - 1);
}

void begin(const Tokenizer& tokenizer, Prompt& prompt) {
  for (const std::string_view token : {"<|begin|>", "<|begin_of_text|>", "<s>"}) {
    if (tokenizer.special_token(token) >= 0) return prompt.control(token);
  }
}

void plain(const Tokenizer& tokenizer, Messages messages, Prompt& prompt) {
  begin(tokenizer, prompt);
  for (size_t i = 0; i < messages.size(); ++i) {
    prompt.text(fmt::format("{}: {}", messages[i].role, messages[i].content));
    if (!is_begun(messages, i)) prompt.text("\n");
  }
  if (!is_answer_begun(messages)) prompt.text("assistant:");
}

void llama3(Messages messages, Prompt& prompt) {
  const auto head = [&](std::string_view role) {
    prompt.control("<|start_header_id|>");
    prompt.text(role == "tool" ? "ipython" : role);
    prompt.control("<|end_header_id|>");
    prompt.text("\n\n");
  };
  prompt.control("<|begin_of_text|>");
  for (size_t i = 0; i < messages.size(); ++i) {
    head(messages[i].role);
    prompt.text(is_begun(messages, i) ? messages[i].content : trimmed(messages[i].content));
    if (!is_begun(messages, i)) prompt.control("<|eot_id|>");
  }
  if (!is_answer_begun(messages)) head("assistant");
}

void chatml(Messages messages, Prompt& prompt) {
  for (size_t i = 0; i < messages.size(); ++i) {
    prompt.control("<|im_start|>");
    prompt.text(fmt::format("{}\n{}", messages[i].role, messages[i].content));
    if (is_begun(messages, i)) return;
    prompt.control("<|im_end|>");
    prompt.text("\n");
  }
  prompt.control("<|im_start|>");
  prompt.text("assistant\n");
}

// Every role but the assistant's is a turn of the user; what a system message says stands in the
// turn that follows it.
void llama2(Messages messages, Prompt& prompt) {
  std::string system;
  if (!messages.empty() && messages[0].role == "assistant") prompt.control("<s>");
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string_view content = trimmed(messages[i].content);
    const bool last = i + 1 == messages.size();
    if (messages[i].role == "system" && !last) {
      system = fmt::format("<<SYS>>\n{}\n<</SYS>>\n\n", messages[i].content);
    } else if (is_begun(messages, i)) {
      prompt.text(" " + messages[i].content);
    } else if (messages[i].role == "assistant") {
      prompt.text(fmt::format(" {} ", content));
      prompt.control("</s>");
    } else {
      prompt.control("<s>");
      prompt.text(fmt::format("[INST] {}{} [/INST]", std::exchange(system, ""), content));
    }
  }
}

// Newer ones have the brackets as control tokens, older ones as text.
void mistral(const Tokenizer& tokenizer, Messages messages, Prompt& prompt) {
  const bool control = tokenizer.special_token("[INST]") >= 0;
  std::string system;
  prompt.control("<s>");
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == "system" && i + 1 < messages.size()) {
      system = message.content + "\n\n";
    } else if (message.role == "assistant") {
      prompt.text(control ? message.content : " " + message.content);
      if (!is_begun(messages, i)) prompt.control("</s>");
    } else if (control) {
      prompt.control("[INST]");
      prompt.text(std::exchange(system, "") + message.content);
      prompt.control("[/INST]");
    } else {
      prompt.text(fmt::format("[INST] {}{} [/INST]", std::exchange(system, ""), message.content));
    }
  }
}

}  // namespace

Result<std::string> chat_family(const ModelConfig& config, const Tokenizer& tokenizer) {
  if (!config.chat_family.empty()) {
    if (std::ranges::find(kFamilies, config.chat_family) != kFamilies.end()) {
      return config.chat_family;
    }
    return fail(Code::kInvalidArgument,
                fmt::format("chat_family of config.json is \"{}\" (known: plain, llama-2, llama-3, "
                            "mistral, chatml)",
                            config.chat_family));
  }
  const auto has = [&](std::string_view token) { return tokenizer.special_token(token) >= 0; };
  if (has("<|start_header_id|>") && has("<|eot_id|>")) return "llama-3";
  if (has("<|im_start|>") && has("<|im_end|>")) return "chatml";
  if (!has("<s>") || !has("</s>")) return "plain";
  return has("[INST]") || config.architecture != "LlamaForCausalLM" ? "mistral" : "llama-2";
}

std::vector<int32_t> chat_prompt(const Tokenizer& tokenizer, std::string_view family,
                                 std::span<const ChatMessage> messages) {
  Prompt prompt(tokenizer);
  if (family == "llama-3") {
    llama3(messages, prompt);
  } else if (family == "chatml") {
    chatml(messages, prompt);
  } else if (family == "llama-2") {
    llama2(messages, prompt);
  } else if (family == "mistral") {
    mistral(tokenizer, messages, prompt);
  } else {
    CHECK(family == "plain");
    plain(tokenizer, messages, prompt);
  }
  return prompt.take();
}

}  // namespace binnacle::engine
