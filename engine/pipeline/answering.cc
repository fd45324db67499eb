#include "engine/pipeline/answering.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::engine {
namespace {

constexpr int32_t kDefaultCompletion = 16;  // OpenAI's, of completions

tl::unexpected<ApiError> refuse(std::string param, std::string code, std::string message) {
  ApiError error;
  error.param = std::move(param);
  error.code = std::move(code);
  error.message = std::move(message);
  return tl::unexpected(std::move(error));
}

std::vector<int32_t> prompt_tokens(const ServedModel& model, std::string_view text) {
  std::vector<int32_t> tokens;
  if (model.config.begin_token >= 0) tokens.push_back(model.config.begin_token);
  const auto encoded = model.tokenizer->encode(text);
  tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  return tokens;
}

std::string text_of(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens) {
  TextAssembler assembler(tokenizer);
  std::string text;
  for (const int32_t token : tokens) text += assembler.add(token);
  return text + assembler.finish();
}

}  // namespace

tl::expected<Answering, ApiError> Answering::prepare(AnswerRequest asked,
                                                     std::shared_ptr<const ServedModel> model,
                                                     uint64_t seed) {
  Answering answering(std::move(asked), std::move(model));
  const AnswerRequest& request = answering.request_;
  const ServedModel& served = *answering.model_;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::string> echoed;
  if (request.chat) {
    prompts.push_back(chat_prompt(*served.tokenizer, served.chat_family, request.messages));
  }
  for (const auto& prompt : request.prompts) {
    const auto* text = std::get_if<std::string>(&prompt);
    prompts.push_back(text != nullptr ? prompt_tokens(served, *text)
                                      : std::get<std::vector<int32_t>>(prompt));
    if (request.echo) {
      echoed.push_back(text != nullptr ? *text : text_of(*served.tokenizer, prompts.back()));
    }
  }
  if (prompts.size() * static_cast<size_t>(request.n) > static_cast<size_t>(kMaxChoices)) {
    return refuse("n", "",
                  fmt::format("{} prompts with n {} are more than {} answers", prompts.size(),
                              request.n, kMaxChoices));
  }
  for (size_t p = 0; p < prompts.size(); ++p) {
    const auto length = static_cast<int32_t>(prompts[p].size());
    if (length == 0) {
      return refuse("prompt", "", "the prompt is empty and this model has no token to begin with");
    }
    const int32_t room = served.context - length;
    const int32_t wanted =
        request.max_tokens.value_or(request.chat ? room : std::min(room, kDefaultCompletion));
    if (room <= 0 || wanted > room) {
      return refuse(request.chat ? "messages" : "prompt", "context_length_exceeded",
                    fmt::format("the prompt has {} tokens and the answer may have {}: together "
                                "more than the model's context of {}",
                                length, std::max(wanted, 1), served.context));
    }
    answering.prompt_tokens_ += length;
    for (int32_t i = 0; i < request.n; ++i) {
      Choice choice;
      choice.generation.prompt = prompts[p];
      choice.generation.given = request.continue_token_ids;
      choice.generation.max_tokens = wanted;
      choice.generation.sampling = request.sampling;
      choice.generation.sampling.seed =
          (request.has_seed ? request.sampling.seed : seed) + static_cast<uint64_t>(i);
      choice.generation.end_tokens = served.config.end_tokens;
      choice.text = std::make_unique<AnswerText>(*served.tokenizer, request.stop);
      // What the client has already; what is held back of it comes again.
      for (const int32_t token : request.continue_token_ids) {
        choice.text_bytes += choice.text->add(token).size();
      }
      choice.tokens = static_cast<int64_t>(request.continue_token_ids.size());
      if (request.echo) choice.echoed = echoed[p];
      answering.choices_.push_back(std::move(choice));
    }
  }
  if (const Status fits = check_sampling(request.sampling, served.config.vocabulary); !fits) {
    return refuse("", "", fits.error().message);
  }
  return answering;
}

Generation Answering::generation(size_t choice) { return std::move(choices_[choice].generation); }

AnswerPiece Answering::take(size_t index, const GenerationEvent& event) {
  Choice& choice = choices_[index];
  AnswerPiece piece;
  piece.index = static_cast<int32_t>(index);
  if (choice.over) return piece;
  piece.text = std::exchange(choice.echoed, {});
  if (event.is_end) {
    choice.over = true;
    piece.text += choice.text->finish();
    piece.finish_reason = choice.text->stopped() || event.reason == EndReason::kStop
                              ? std::string_view("stop")
                              : std::string_view("length");
    return piece;
  }
  ++choice.tokens;
  piece.tokens.push_back({event.choice, choice.text_bytes});
  const std::string text = choice.text->add(event.choice.token);
  choice.text_bytes += text.size();
  piece.text += text;
  if (choice.text->stopped()) {
    choice.over = true;
    piece.finish_reason = "stop";
  }
  return piece;
}

bool Answering::all_over() const { return std::ranges::all_of(choices_, &Choice::over); }

Usage Answering::usage() const {
  Usage usage;
  usage.prompt_tokens = prompt_tokens_;
  for (const Choice& choice : choices_) usage.completion_tokens += choice.tokens;
  return usage;
}

}  // namespace binnacle::engine
