// From tokens to the text that a client gets: whole characters only, and nothing of a stop string,
// which may be spread over tokens. What could be the beginning of one is held back until it is
// known. A pure state: the same tokens give the same texts, so that another process that is told
// the tokens so far goes on exactly where this one ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/tokenizer.h"

namespace binnacle::engine {

class AnswerText {
 public:
  AnswerText(const Tokenizer& tokenizer, std::vector<std::string> stops);

  // The text that may be given now. After stopped(), nothing more comes.
  std::string add(int32_t token);
  std::string finish();  // what was held back
  bool stopped() const { return stopped_; }

 private:
  std::string pass(std::string text);

  TextAssembler assembler_;
  const std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace binnacle::engine
