#include "net/smtp_dialogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "net/http.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxLineBytes = 4096;  // the RFC says 512; extensions may allow more
constexpr size_t kMaxReplyLines = 128;
constexpr size_t kShownBytes = 500;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Unexpected not_smtp(std::string_view line) {
  return fail(Code::kDataLoss,
              fmt::format("not an SMTP reply ({})", to_valid_utf8(line.substr(0, 100))));
}

std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

}  // namespace

Error SmtpReply::refusal() const {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : " ") + line;
  text = to_valid_utf8(std::string_view(text).substr(0, kShownBytes));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  const Code kind = code / 100 == 4 ? Code::kUnavailable : Code::kFailedPrecondition;
  return {kind, fmt::format("{} {}", code, text)};
}

SmtpExtensions::SmtpExtensions(const SmtpReply& hello) : lines_(hello.lines) {
  if (!lines_.empty()) lines_.erase(lines_.begin());  // the server's name
}

bool SmtpExtensions::has(std::string_view keyword) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) {
    return equal_ignoring_case(first_word(line), keyword);
  });
}

std::string SmtpExtensions::of(std::string_view keyword) const {
  for (const std::string& line : lines_) {
    const std::string_view word = first_word(line);
    if (equal_ignoring_case(word, keyword) && line.size() > word.size())
      return line.substr(word.size() + 1);
  }
  return {};
}

asio::awaitable<Result<std::string>> SmtpDialogue::read_line() {
  size_t end = read_.find('\n');
  while (end == std::string::npos) {
    if (read_.size() > kMaxLineBytes) co_return not_smtp(read_);
    char piece[1024];
    const auto [error, size] = co_await transport_->read_some(asio::buffer(piece));
    if (error) co_return fail(Code::kUnavailable, "connection lost: " + error.message());
    read_.append(piece, size);
    end = read_.find('\n');
  }
  std::string line = read_.substr(0, end);
  read_.erase(0, end + 1);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  co_return line;
}

asio::awaitable<void> SmtpDialogue::say(std::string command) {
  co_await transport_->write(asio::buffer(command), {});
}

asio::awaitable<Result<SmtpReply>> SmtpDialogue::ask(std::string command) {
  if (!command.empty()) {
    const auto [error, size] = co_await transport_->write(asio::buffer(command), {});
    if (error) co_return fail(Code::kUnavailable, "connection lost: " + error.message());
  }
  SmtpReply reply;
  while (true) {
    auto line = co_await read_line();
    if (!line) co_return fail(std::move(line).error());
    const bool coded = line->size() >= 3 && (*line)[0] >= '2' && (*line)[0] <= '5' &&
                       is_digit((*line)[1]) && is_digit((*line)[2]);
    const char mark = line->size() > 3 ? (*line)[3] : ' ';
    if (!coded || (mark != ' ' && mark != '-')) co_return not_smtp(*line);
    reply.code = ((*line)[0] - '0') * 100 + ((*line)[1] - '0') * 10 + ((*line)[2] - '0');
    reply.lines.push_back(line->size() > 4 ? line->substr(4) : "");
    if (mark == ' ') co_return reply;
    if (reply.lines.size() >= kMaxReplyLines)
      co_return fail(Code::kDataLoss, "an SMTP reply without end");
  }
}

}  // namespace binnacle::net
