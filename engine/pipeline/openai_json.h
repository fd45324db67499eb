// Answers of OpenAI's completions and chat completions as JSON, whole and in pieces. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/sampling.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {

// One token as the answer reports it.
struct GivenToken {
  TokenChoice choice;
  size_t text_offset = 0;  // of the answer's text, where the token was given
};

struct AnswerPiece {
  int32_t index = 0;  // of the choice
  std::string text;
  std::vector<GivenToken> tokens;
  std::string_view finish_reason;  // "": it goes on
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

struct AnswerFormat {
  bool chat = false;
  std::string id;  // "chatcmpl-..."
  int64_t created_s = 0;
  std::string model;
  bool logprobs = false;
  bool token_ids = false;
  bool usage_in_pieces = false;  // "usage": null in each
  const Tokenizer* tokenizer = nullptr;
};

std::string first_piece_json(const AnswerFormat& format, int32_t index);  // the role, of a chat
std::string piece_json(const AnswerFormat& format, const AnswerPiece& piece);
std::string usage_piece_json(const AnswerFormat& format, const Usage& usage);
std::string whole_json(const AnswerFormat& format, const std::vector<AnswerPiece>& choices,
                       const Usage& usage);

}  // namespace binnacle::engine
