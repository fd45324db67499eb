#include "net/request_body.h"

#include <utility>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kSmallRead = 8 * 1024;
constexpr size_t kLargeRead = 64 * 1024;
constexpr size_t kDecodedPiece = 64 * 1024;

}  // namespace

RequestBody::RequestBody(Channel& channel, RequestParser& parser, size_t max_bytes, Coding coding)
    : channel_(channel), parser_(parser), max_bytes_(max_bytes), coding_(coding) {
  ended_ = !parser.framing().has_body;
}

Unexpected RequestBody::refuse(int status, Code code, std::string message) {
  failure_status_ = status;
  return fail(code, "read the request's body: " + std::move(message));
}

// The next bytes of the content as they were sent; empty at the end.
asio::awaitable<Result<std::string_view>> RequestBody::read_raw() {
  while (!parser_.body_done()) {
    std::string_view piece;
    size_t used = 0;
    const auto step = parser_.parse_body(channel_.in.unread(), piece, used);
    channel_.in.consume(used);
    raw_bytes_ += piece.size();
    if (step == RequestParser::Step::kFailed)
      co_return refuse(400, Code::kInvalidArgument, std::string(parser_.failure().reason));
    if (raw_bytes_ > max_bytes_) {
      co_return refuse(413, Code::kResourceExhausted,
                       "more than " + std::to_string(max_bytes_) + " bytes");
    }
    if (!piece.empty()) co_return piece;
    if (step == RequestParser::Step::kDone) break;
    if (parser_.framing().expects_continue && !continue_sent_)
      channel_.out += "HTTP/1.1 100 Continue\r\n\r\n";
    continue_sent_ = true;
    if (!co_await channel_.flush()) co_return refuse(0, Code::kCancelled, "the client went away");
    const bool much = parser_.framing().content_length.value_or(0) > raw_bytes_ + kSmallRead ||
                      raw_bytes_ > kLargeRead;
    const auto error =
        co_await channel_.fill(Channel::Waiting::kBody, much ? kLargeRead : kSmallRead);
    if (channel_.expired() == Channel::Waiting::kBody)
      co_return refuse(408, Code::kDeadlineExceeded, "the client sends too slowly");
    if (error) co_return refuse(0, Code::kCancelled, "the client went away");
  }
  end();
  co_return std::string_view();
}

// Not with the last piece: reading ahead may move it, and its reader is not done with it.
void RequestBody::end() {
  ended_ = true;
  if (watch_owner_ != nullptr) channel_.watch(std::exchange(watch_owner_, nullptr));
}

void RequestBody::watch_at_end(std::shared_ptr<void> owner) {
  watch_owner_ = std::move(owner);
  if (ended_) end();
}

// Empty: the decoder wants more coded bytes.
Result<std::string_view> RequestBody::decode_piece() {
  if (!decoder_) {
    TRY_ASSIGN(decoder_, Decoder::make(coding_, max_bytes_));
    decoded_.resize(kDecodedPiece);
    return std::string_view();
  }
  auto n = decoder_->next(decoded_);
  if (n) return std::string_view(decoded_.data(), *n);
  const bool too_large = n.error().code == Code::kResourceExhausted;
  return refuse(too_large ? 413 : 400, n.error().code, std::move(n.error().message));
}

asio::awaitable<Result<std::string_view>> RequestBody::read() {
  if (failure_status_ != 0)
    co_return fail(Code::kCancelled, "read the request's body: it has failed before");
  if (coding_ == Coding::kIdentity) {
    if (ended_) co_return std::string_view();
    co_return co_await read_raw();
  }
  while (true) {
    auto decoded = decode_piece();
    if (!decoded || !decoded->empty()) co_return decoded;
    if (ended_) break;
    auto raw = co_await read_raw();
    if (!raw) co_return raw;
    if (!raw->empty()) {
      decoder_->feed(*raw);
      continue;
    }
    if (auto whole = decoder_->finish(); !whole)
      co_return refuse(400, Code::kDataLoss, std::move(whole.error().message));
  }
  co_return std::string_view();
}

asio::awaitable<Result<std::string_view>> RequestBody::read_all() {
  while (true) {
    auto piece = co_await read();
    if (!piece) co_return piece;
    if (piece->empty()) co_return std::string_view(whole_);
    if (whole_.empty() && coding_ == Coding::kIdentity && parser_.body_done()) {
      ended_ = true;
      channel_.in.pin();
      co_return piece;
    }
    whole_ += *piece;
  }
}

}  // namespace binnacle::net
