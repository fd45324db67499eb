#include "engine/pipeline/openai_json.h"

#include <nlohmann/json.hpp>

namespace binnacle::engine {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json head(const AnswerFormat& format, std::string_view object) {
  return {{"id", format.id},
          {"object", object},
          {"created", format.created_s},
          {"model", format.model},
          {"system_fingerprint", "binnacle"}};
}

json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

json one_logprob(const Tokenizer& tokenizer, int32_t token, float logprob) {
  const std::string_view bytes = tokenizer.bytes_of(token);
  json list = json::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return {{"token", std::string(bytes)}, {"logprob", logprob}, {"bytes", std::move(list)}};
}

json chat_logprobs(const AnswerFormat& format, const AnswerPiece& piece) {
  json content = json::array();
  for (const GivenToken& given : piece.tokens) {
    json entry = one_logprob(*format.tokenizer, given.choice.token, given.choice.logprob);
    entry["top_logprobs"] = json::array();
    for (const auto& [token, logprob] : given.choice.top) {
      entry["top_logprobs"].push_back(one_logprob(*format.tokenizer, token, logprob));
    }
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json plain_logprobs(const AnswerFormat& format, const AnswerPiece& piece) {
  json tokens = json::array();
  json logprobs = json::array();
  json top = json::array();
  json offsets = json::array();
  for (const GivenToken& given : piece.tokens) {
    tokens.push_back(std::string(format.tokenizer->bytes_of(given.choice.token)));
    logprobs.push_back(given.choice.logprob);
    json best = json::object();
    for (const auto& [token, logprob] : given.choice.top) {
      best[std::string(format.tokenizer->bytes_of(token))] = logprob;
    }
    top.push_back(std::move(best));
    offsets.push_back(given.text_offset);
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(top)},
          {"text_offset", std::move(offsets)}};
}

json choice_json(const AnswerFormat& format, const AnswerPiece& piece, bool whole) {
  json choice = {{"index", piece.index}};
  if (!format.chat) {
    choice["text"] = piece.text;
  } else if (whole) {
    choice["message"] = {{"role", "assistant"}, {"content", piece.text}, {"refusal", nullptr}};
  } else {
    choice["delta"] = piece.text.empty() ? json::object() : json{{"content", piece.text}};
  }
  if (format.logprobs && (whole || !piece.tokens.empty())) {
    choice["logprobs"] = format.chat ? chat_logprobs(format, piece) : plain_logprobs(format, piece);
  } else {
    choice["logprobs"] = nullptr;
  }
  choice["finish_reason"] =
      piece.finish_reason.empty() ? json() : json(std::string(piece.finish_reason));
  if (format.token_ids) {
    choice["token_ids"] = json::array();
    for (const GivenToken& given : piece.tokens) choice["token_ids"].push_back(given.choice.token);
  }
  return choice;
}

std::string_view piece_object(const AnswerFormat& format) {
  return format.chat ? "chat.completion.chunk" : "text_completion";
}

}  // namespace

std::string first_piece_json(const AnswerFormat& format, int32_t index) {
  json body = head(format, piece_object(format));
  body["choices"] = json::array({{{"index", index},
                                  {"delta", {{"role", "assistant"}, {"content", ""}}},
                                  {"logprobs", nullptr},
                                  {"finish_reason", nullptr}}});
  if (format.usage_in_pieces) body["usage"] = nullptr;
  return dump(body);
}

std::string piece_json(const AnswerFormat& format, const AnswerPiece& piece) {
  json body = head(format, piece_object(format));
  body["choices"] = json::array({choice_json(format, piece, false)});
  if (format.usage_in_pieces) body["usage"] = nullptr;
  return dump(body);
}

std::string usage_piece_json(const AnswerFormat& format, const Usage& usage) {
  json body = head(format, piece_object(format));
  body["choices"] = json::array();
  body["usage"] = usage_json(usage);
  return dump(body);
}

std::string whole_json(const AnswerFormat& format, const std::vector<AnswerPiece>& choices,
                       const Usage& usage) {
  json body = head(format, format.chat ? "chat.completion" : "text_completion");
  body["choices"] = json::array();
  for (const AnswerPiece& choice : choices) {
    body["choices"].push_back(choice_json(format, choice, true));
  }
  body["usage"] = usage_json(usage);
  return dump(body);
}

}  // namespace binnacle::engine
