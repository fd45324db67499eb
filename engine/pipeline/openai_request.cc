#include "engine/pipeline/openai_request.h"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;
using Refusal = tl::unexpected<ApiError>;
using Checked = tl::expected<void, ApiError>;

constexpr int kMaxTopLogprobs = 20;

Refusal refuse(std::string param, std::string message) {
  ApiError error;
  error.param = std::move(param);
  error.message = std::move(message);
  return Refusal(std::move(error));
}

#define TRY_API(expr)                                                                   \
  do {                                                                                  \
    if (auto checked_ = (expr); !checked_) return Refusal(std::move(checked_).error()); \
  } while (0)

const json* field(const json& body, const char* name) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? nullptr : &*found;
}

Checked read_number(const json& body, const char* name, double low, double high, float& out) {
  const json* value = field(body, name);
  if (value == nullptr) return {};
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= low && number <= high)) {
    return refuse(name, fmt::format("{} must be a number from {} to {}", name, low, high));
  }
  out = static_cast<float>(number);
  return {};
}

Checked read_whole(const json& body, const char* name, int64_t low, int64_t high,
                   std::optional<int32_t>& out) {
  const json* value = field(body, name);
  if (value == nullptr) return {};
  if (!value->is_number_integer() ||
      (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(high)) ||
      value->get<int64_t>() < low || value->get<int64_t>() > high) {
    return refuse(name, fmt::format("{} must be a whole number from {} to {}", name, low, high));
  }
  out = static_cast<int32_t>(value->get<int64_t>());
  return {};
}

Checked read_flag(const json& body, const char* name, bool& out) {
  const json* value = field(body, name);
  if (value == nullptr) return {};
  if (!value->is_boolean()) return refuse(name, fmt::format("{} must be true or false", name));
  out = value->get<bool>();
  return {};
}

Checked read_tokens(const json& value, const char* name, int32_t vocabulary,
                    std::vector<int32_t>& out) {
  for (const json& token : value) {
    if (!token.is_number_integer() || token.get<int64_t>() < 0 ||
        token.get<int64_t>() >= vocabulary) {
      return refuse(
          name, fmt::format("{}: a token id is a whole number from 0 to {}", name, vocabulary - 1));
    }
    out.push_back(static_cast<int32_t>(token.get<int64_t>()));
  }
  return {};
}

// Present and set to anything that would change the answer.
Checked refuse_what_we_cannot(const json& body) {
  for (const char* name : {"presence_penalty", "frequency_penalty"}) {
    const json* value = field(body, name);
    if (value != nullptr && !(value->is_number() && value->get<double>() == 0)) {
      return refuse(name, fmt::format("{} is not supported: leave it out or set it to 0", name));
    }
  }
  if (const json* value = field(body, "repetition_penalty");
      value != nullptr && !(value->is_number() && value->get<double>() == 1)) {
    return refuse("repetition_penalty",
                  "repetition_penalty is not supported: leave it out or set it to 1");
  }
  for (const char* name : {"tools", "functions", "audio", "prediction", "suffix", "modalities",
                           "web_search_options", "guided_json", "guided_regex", "guided_grammar"}) {
    const json* value = field(body, name);
    const bool harmless = value == nullptr || (value->is_array() && value->empty()) ||
                          (value->is_string() && value->get<std::string>().empty()) ||
                          *value == json::array({"text"});
    if (!harmless) return refuse(name, fmt::format("{} is not supported by this engine", name));
  }
  for (const char* name : {"tool_choice", "function_call"}) {
    const json* value = field(body, name);
    if (value != nullptr && *value != "none" && *value != "auto") {
      return refuse(name, fmt::format("{} is not supported by this engine", name));
    }
  }
  if (const json* format = field(body, "response_format");
      format != nullptr && !(format->is_object() && format->value("type", json()) == "text")) {
    return refuse("response_format",
                  "response_format is not supported but for {\"type\": \"text\"}");
  }
  if (const json* best = field(body, "best_of");
      best != nullptr && *best != 1 && *best != body.value("n", json(1))) {
    return refuse("best_of", "best_of is not supported: leave it out");
  }
  return {};
}

Checked read_sampling(const json& body, int32_t vocabulary, AnswerRequest& request) {
  Sampling& sampling = request.sampling;
  TRY_API(read_number(body, "temperature", 0, 2, sampling.temperature));
  TRY_API(read_number(body, "top_p", 0, 1, sampling.top_p));
  if (sampling.top_p <= 0) return refuse("top_p", "top_p must be above 0 and at most 1");
  TRY_API(read_number(body, "min_p", 0, 1, sampling.min_p));
  if (sampling.min_p >= 1) return refuse("min_p", "min_p must be at least 0 and below 1");
  if (const json* k = field(body, "top_k"); k != nullptr && *k != -1) {  // -1: none, as vLLM has it
    std::optional<int32_t> top_k;
    TRY_API(read_whole(body, "top_k", 0, std::numeric_limits<int32_t>::max(), top_k));
    sampling.top_k = *top_k;
  }
  if (const json* seed = field(body, "seed"); seed != nullptr) {
    if (!seed->is_number_integer()) return refuse("seed", "seed must be a whole number");
    sampling.seed = seed->is_number_unsigned() ? seed->get<uint64_t>()
                                               : static_cast<uint64_t>(seed->get<int64_t>());
    request.has_seed = true;
  }
  const json* bias = field(body, "logit_bias");
  if (bias == nullptr) return {};
  if (!bias->is_object() || bias->size() > 1024) {
    return refuse("logit_bias", "logit_bias must be an object of at most 1024 token ids");
  }
  for (const auto& [key, value] : bias->items()) {
    const bool digits =
        !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
    const int32_t token = digits ? std::stoi(key) : -1;
    if (token < 0 || token >= vocabulary || !value.is_number() ||
        !(std::abs(value.get<double>()) <= 100)) {
      return refuse("logit_bias", fmt::format("logit_bias: \"{}\" must be a token id below {} with "
                                              "a number from -100 to 100",
                                              key, vocabulary));
    }
    sampling.bias.emplace_back(token, static_cast<float>(value.get<double>()));
  }
  return {};
}

Checked read_stops(const json& body, AnswerRequest& request) {
  const json* stop = field(body, "stop");
  if (stop == nullptr) return {};
  const json list = stop->is_string() ? json::array({*stop}) : *stop;
  if (!list.is_array() || list.size() > kMaxStops) {
    return refuse("stop", fmt::format("stop must be a string or a list of at most {}", kMaxStops));
  }
  for (const json& text : list) {
    if (!text.is_string() || text.get_ref<const std::string&>().empty() ||
        text.get_ref<const std::string&>().size() > kMaxStopBytes) {
      return refuse("stop", fmt::format("stop: each is a string of 1 to {} bytes", kMaxStopBytes));
    }
    request.stop.push_back(text.get<std::string>());
  }
  return {};
}

// A message's content is a string, or a list of parts, of which we know text.
Checked read_content(const json& message, const std::string& where, std::string& out) {
  const json* content = field(message, "content");
  if (content == nullptr) return {};
  if (content->is_string()) {
    out = content->get<std::string>();
    return {};
  }
  if (!content->is_array()) return refuse(where, where + ": content must be a string");
  for (const json& part : *content) {
    const json* text = part.is_object() ? field(part, "text") : nullptr;
    if (text == nullptr || !text->is_string() || part.value("type", json()) != "text") {
      return refuse(where, where + ": only parts of type text are supported");
    }
    out += text->get<std::string>();
  }
  return {};
}

Checked read_messages(const json& body, AnswerRequest& request) {
  const json* messages = field(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    return refuse("messages", "messages must be a list of at least one message");
  }
  for (size_t i = 0; i < messages->size(); ++i) {
    const json& message = (*messages)[i];
    const std::string where = fmt::format("messages[{}]", i);
    const json* role = message.is_object() ? field(message, "role") : nullptr;
    if (role == nullptr || !role->is_string()) return refuse(where, where + ": it needs a role");
    ChatMessage read;
    read.role = role->get<std::string>();
    if (read.role == "developer") read.role = "system";
    if (read.role != "system" && read.role != "user" && read.role != "assistant" &&
        read.role != "tool") {
      return refuse(where, fmt::format("{}: unknown role \"{}\"", where, read.role));
    }
    if (field(message, "tool_calls") != nullptr) {
      return refuse(where, where + ": tool_calls are not supported by this engine");
    }
    TRY_API(read_content(message, where, read.content));
    request.messages.push_back(std::move(read));
  }
  return {};
}

Checked read_prompts(const json& body, int32_t vocabulary, AnswerRequest& request) {
  const json* prompt = field(body, "prompt");
  if (prompt == nullptr) return refuse("prompt", "prompt is missing");
  const bool is_tokens = prompt->is_array() && !prompt->empty() && prompt->front().is_number();
  const json list = prompt->is_array() && !is_tokens ? *prompt : json::array({*prompt});
  if (list.empty() || list.size() > kMaxChoices) {
    return refuse("prompt", fmt::format("prompt: from 1 to {} prompts", kMaxChoices));
  }
  for (const json& one : list) {
    if (one.is_string()) {
      request.prompts.emplace_back(one.get<std::string>());
    } else if (one.is_array()) {
      std::vector<int32_t> tokens;
      TRY_API(read_tokens(one, "prompt", vocabulary, tokens));
      request.prompts.emplace_back(std::move(tokens));
    } else {
      return refuse("prompt", "prompt must be a string, a list of strings or of token ids");
    }
  }
  return {};
}

Checked read_logprobs(const json& body, AnswerRequest& request) {
  std::optional<int32_t> top;
  if (request.chat) {
    TRY_API(read_flag(body, "logprobs", request.wants_logprobs));
    TRY_API(read_whole(body, "top_logprobs", 0, kMaxTopLogprobs, top));
    if (top && !request.wants_logprobs) {
      return refuse("top_logprobs", "top_logprobs needs logprobs: true");
    }
  } else {
    TRY_API(read_whole(body, "logprobs", 0, kMaxTopLogprobs, top));
    request.wants_logprobs = top.has_value();
  }
  request.sampling.top_logprobs = top.value_or(0);
  return {};
}

Checked read_lengths(const json& body, AnswerRequest& request) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  TRY_API(read_whole(body, "max_tokens", 1, kMost, request.max_tokens));
  TRY_API(read_whole(body, "max_completion_tokens", 1, kMost, request.max_tokens));
  std::optional<int32_t> n;
  TRY_API(read_whole(body, "n", 1, kMaxChoices, n));
  request.n = n.value_or(1);
  if (const json* least = field(body, "min_tokens"); least != nullptr && *least != 0) {
    return refuse("min_tokens", "min_tokens is not supported by this engine");
  }
  return {};
}

Checked read_stream(const json& body, AnswerRequest& request) {
  TRY_API(read_flag(body, "stream", request.stream));
  if (const json* options = field(body, "stream_options"); options != nullptr) {
    if (!options->is_object()) return refuse("stream_options", "stream_options must be an object");
    if (!request.stream) return refuse("stream_options", "stream_options needs stream: true");
    TRY_API(read_flag(*options, "include_usage", request.include_usage));
  }
  TRY_API(read_flag(body, "echo", request.echo));
  if (request.echo && (request.chat || request.wants_logprobs)) {
    return refuse("echo", "echo is not supported for chats and with logprobs");
  }
  return {};
}

Checked read_extension(const json& body, int32_t vocabulary, AnswerRequest& request) {
  TRY_API(read_flag(body, "return_token_ids", request.return_token_ids));
  const json* given = field(body, "continue_token_ids");
  if (given == nullptr) return {};
  if (!given->is_array()) {
    return refuse("continue_token_ids", "continue_token_ids must be a list of token ids");
  }
  TRY_API(read_tokens(*given, "continue_token_ids", vocabulary, request.continue_token_ids));
  if (request.n != 1 || request.prompts.size() > 1) {
    return refuse("continue_token_ids", "continue_token_ids continues one choice: n must be 1");
  }
  if (!request.has_seed && request.sampling.temperature > 0 && !given->empty()) {
    return refuse("continue_token_ids",
                  "continue_token_ids needs the seed of the answer that is continued, or "
                  "temperature 0");
  }
  return {};
}

}  // namespace

tl::expected<AnswerRequest, ApiError> read_answer_request(std::string_view text, bool chat,
                                                          int32_t vocabulary) {
  const json body = parse_json(text);
  if (body.is_discarded()) return refuse("", "the body is not valid JSON");
  if (!body.is_object()) return refuse("", "the body must be a JSON object");
  AnswerRequest request;
  request.chat = chat;
  if (const json* model = field(body, "model"); model != nullptr) {
    if (!model->is_string()) return refuse("model", "model must be a string");
    request.model = model->get<std::string>();
  }
  TRY_API(refuse_what_we_cannot(body));
  TRY_API(chat ? read_messages(body, request) : read_prompts(body, vocabulary, request));
  TRY_API(read_sampling(body, vocabulary, request));
  TRY_API(read_stops(body, request));
  TRY_API(read_lengths(body, request));
  TRY_API(read_logprobs(body, request));
  TRY_API(read_stream(body, request));
  TRY_API(read_extension(body, vocabulary, request));
  return request;
}

std::string api_error_json(const ApiError& error) {
  const json body = {{"error",
                      {{"message", error.message},
                       {"type", error.type},
                       {"param", error.param.empty() ? json() : json(error.param)},
                       {"code", error.code.empty() ? json() : json(error.code)}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

net::Response api_error_response(const ApiError& error) {
  net::Response response = net::Response::json(error.status, api_error_json(error));
  if (error.status == 429 || error.status == 503) response.headers.set("Retry-After", "1");
  return response;
}

ApiError api_error_of(const Error& error) {
  ApiError api;
  api.status = http_status(error.code);
  api.message = error.message;
  api.code = code_name(error.code);
  if (error.code == Code::kResourceExhausted) {
    api.type = "rate_limit_error";
  } else if (api.status >= 500) {
    api.type = "server_error";
  }
  return api;
}

}  // namespace binnacle::engine
