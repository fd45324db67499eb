// Requests of OpenAI's completions and chat completions, read and checked. What the engine cannot
// do is refused by name; what OpenAI's clients send and has no meaning here (user, metadata, store)
// is let through. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/sampling.h"
#include "engine/model/tokenizer.h"
#include "net/http.h"

namespace binnacle::engine {

// An error in the shape that OpenAI's clients read.
struct ApiError {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;
  std::string code;
};
net::Response api_error_response(const ApiError& error);
std::string api_error_json(const ApiError& error);
ApiError api_error_of(const Error& error);  // of what the engine says

struct AnswerRequest {
  bool chat = false;
  std::string model;
  std::vector<ChatMessage> messages;                                     // of a chat
  std::vector<std::variant<std::string, std::vector<int32_t>>> prompts;  // else
  int32_t n = 1;
  std::optional<int32_t> max_tokens;
  int32_t min_tokens = 0;
  Sampling sampling;
  bool has_seed = false;
  std::vector<std::string> stop;
  bool stream = false;
  bool include_usage = false;
  bool echo = false;
  bool wants_logprobs = false;
  // Our extension, docs/engine.md.
  bool return_token_ids = false;
  std::vector<int32_t> continue_token_ids;
};

inline constexpr size_t kMaxStops = 16;
inline constexpr size_t kMaxStopBytes = 256;
inline constexpr int32_t kMaxChoices = 64;

tl::expected<AnswerRequest, ApiError> read_answer_request(std::string_view body, bool chat,
                                                          int32_t vocabulary);

}  // namespace binnacle::engine
