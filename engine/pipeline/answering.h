// One request on its way to its answer: what was asked, prepared as generations, and the texts of
// its choices as tokens come. No sockets here. One coroutine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/pipeline/answer_text.h"
#include "engine/pipeline/openai_front.h"
#include "engine/pipeline/openai_json.h"
#include "engine/pipeline/openai_request.h"

namespace binnacle::engine {

class Answering {
 public:
  // The generations of `request` for `model`; refused when it does not fit the context. Takes up to
  // milliseconds for a long prompt.
  static tl::expected<Answering, ApiError> prepare(AnswerRequest request,
                                                   std::shared_ptr<const ServedModel> model,
                                                   uint64_t seed);

  size_t choices() const { return choices_.size(); }
  const AnswerRequest& request() const { return request_; }
  // Without id and deadline. Once for each choice.
  Generation generation(size_t choice);

  // What the client may get of this event. After a stop string the generation goes on for nothing:
  // see over().
  AnswerPiece take(size_t choice, const GenerationEvent& event);
  bool over(size_t choice) const { return choices_[choice].over; }
  bool all_over() const;
  Usage usage() const;

 private:
  struct Choice {
    Generation generation;
    std::unique_ptr<AnswerText> text;
    std::string echoed;  // given before the first token's text
    size_t text_bytes = 0;
    int64_t tokens = 0;
    bool over = false;
  };

  Answering(AnswerRequest request, std::shared_ptr<const ServedModel> model)
      : request_(std::move(request)), model_(std::move(model)) {}

  AnswerRequest request_;
  std::shared_ptr<const ServedModel> model_;
  std::vector<Choice> choices_;
  int64_t prompt_tokens_ = 0;
};

}  // namespace binnacle::engine
