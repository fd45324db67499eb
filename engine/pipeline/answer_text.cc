#include "engine/pipeline/answer_text.h"

#include <algorithm>
#include <utility>

namespace binnacle::engine {
namespace {

// How much of the end of `text` may be the beginning of `stop`.
size_t possible_beginning(const std::string& text, const std::string& stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
    if (text.compare(text.size() - length, length, stop, 0, length) == 0) return length;
  }
  return 0;
}

}  // namespace

AnswerText::AnswerText(const Tokenizer& tokenizer, std::vector<std::string> stops)
    : assembler_(tokenizer), stops_(std::move(stops)) {}

std::string AnswerText::add(int32_t token) {
  return stopped_ ? std::string() : pass(assembler_.add(token));
}

std::string AnswerText::pass(std::string text) {
  text.insert(0, std::exchange(held_, {}));
  size_t first = std::string::npos;
  for (const std::string& stop : stops_) first = std::min(first, text.find(stop));
  if (first != std::string::npos) {
    stopped_ = true;
    text.resize(first);
    return text;
  }
  size_t held = 0;
  for (const std::string& stop : stops_) held = std::max(held, possible_beginning(text, stop));
  held_ = text.substr(text.size() - held);
  text.resize(text.size() - held);
  return text;
}

std::string AnswerText::finish() {
  if (stopped_) return {};
  std::string text = pass(assembler_.finish());
  return stopped_ ? text : text + std::exchange(held_, {});
}

}  // namespace binnacle::engine
