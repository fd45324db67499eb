#include "watch/health/engines/canary.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;
using std::chrono::milliseconds;
using Outcome = CanaryResult::Outcome;

constexpr size_t kMaxLine = size_t{64} << 10;
constexpr size_t kMaxDetail = 200;

bool has_text(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() &&
         !member->get_ref<const std::string&>().empty();
}

// A token may have no text of its own (half of a character); then the end that it made is told.
bool holds_token(const Json& choice) {
  if (!choice.is_object()) return false;
  if (has_text(choice, "text") || has_text(choice, "finish_reason")) return true;
  for (const char* const part : {"delta", "message"}) {
    const auto member = choice.find(part);
    if (member == choice.end() || !member->is_object()) continue;
    for (const char* const text : {"content", "reasoning_content", "reasoning"}) {
      if (has_text(*member, text)) return true;
    }
    if (member->contains("tool_calls")) return true;
  }
  return false;
}

CanaryResult failed(Outcome outcome, std::string detail) {
  if (detail.size() > kMaxDetail) detail.resize(kMaxDetail);
  CanaryResult result;
  result.outcome = outcome;
  result.detail = std::move(detail);
  return result;
}

CanaryAnswer refused_by(int status) {
  const std::string detail = fmt::format("status {}", status);
  if (status == 429 || status == 503) return {failed(Outcome::kOverloaded, detail)};
  const bool unwelcome = status >= 300 && status < 500 && status != 408;
  return {failed(Outcome::kFailed, detail), unwelcome};
}

CanaryResult unreached(const Error& error, bool connected) {
  if (error.code == Code::kDeadlineExceeded) return failed(Outcome::kNothing, error.message);
  return failed(connected ? Outcome::kFailed : Outcome::kRefused, error.message);
}

// Until the first telling piece, the end or `until_ms`.
asio::awaitable<CanaryResult> wait_for_token(net::ClientStream& stream, int64_t until_ms,
                                             const Clock& clock) {
  TokenStream tokens;
  for (;;) {
    const int64_t left_ms = until_ms - clock.monotonic_ms();
    if (left_ms <= 0) co_return failed(Outcome::kNothing, "no token");
    const auto bytes = co_await stream.read(milliseconds(left_ms));
    if (!bytes) co_return unreached(bytes.error(), true);
    // A whole answer that is no event stream ends without a line break.
    const bool ended = bytes->empty();
    const Piece piece = tokens.feed(ended ? "\n" : *bytes);
    if (piece == Piece::kError) co_return failed(Outcome::kFailed, "an error in the stream");
    if (piece == Piece::kToken) {
      CanaryResult result;
      result.tokens = 1;
      co_return result;
    }
    if (ended) co_return failed(Outcome::kFailed, "the answer ended without a token");
  }
}

}  // namespace

Piece read_piece(std::string_view json) {
  const Json piece = Json::parse(json, nullptr, false);
  if (!piece.is_object()) return Piece::kNothing;
  if (const auto error = piece.find("error"); error != piece.end() && !error->is_null())
    return Piece::kError;
  const auto choices = piece.find("choices");
  if (choices == piece.end() || !choices->is_array()) return Piece::kNothing;
  for (const Json& choice : *choices) {
    if (holds_token(choice)) return Piece::kToken;
  }
  return Piece::kNothing;
}

Piece TokenStream::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, std::min(end, kMaxLine - line_.size()));
    if (end == std::string_view::npos) return Piece::kNothing;
    bytes.remove_prefix(end + 1);
    std::string_view line = line_;
    if (line.starts_with("data:")) line.remove_prefix(5);
    const Piece piece = read_piece(line);
    line_.clear();
    if (piece != Piece::kNothing) return piece;
  }
  return Piece::kNothing;
}

asio::awaitable<CanaryAnswer> ask_for_token(net::Client& client, std::string url,
                                            CanaryRequest request, milliseconds timeout,
                                            const Clock& clock) {
  const int64_t began_ms = clock.monotonic_ms();
  net::ClientRequest post{.method = net::Method::kPost,
                          .url = std::move(url) + request.path,
                          .body = std::move(request.body),
                          .timeout = timeout,
                          .max_body_bytes = SIZE_MAX};
  post.headers.set("Content-Type", "application/json");
  post.headers.set("Connection", "close");
  const auto stream = co_await client.open(std::move(post));
  CanaryAnswer answer;
  if (!stream) {
    answer.result = unreached(stream.error(), false);
  } else if ((*stream)->status() != 200) {
    answer = refused_by((*stream)->status());
  } else {
    answer.result = co_await wait_for_token(**stream, began_ms + timeout.count(), clock);
  }
  answer.result.took_ms = clock.monotonic_ms() - began_ms;
  co_return answer;
}

}  // namespace binnacle::watch::health
