#include "net/response_stream.h"

#include "base/check.h"
#include "net/response_head.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstdio>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kCodedAtOnce = 64 * 1024;  // about 1 ms of gzip
constexpr size_t kCopiedPiece = 32 * 1024;  // a larger piece is sent from where it lies

void append_chunk_size(std::string& out, size_t size) {
  std::array<char, 24> line;
  const int length = std::snprintf(line.data(), line.size(), "%zx\r\n", size);
  out.append(line.data(), static_cast<size_t>(length));
}

}  // namespace

void ResponseStream::append_head(int status, const Headers& headers,
                                 std::optional<uint64_t> length) {
  status_ = status;
  channel_.stream_started();
  ResponseFraming framing;
  framing.status = status;
  framing.http10 = facts_.http10;
  framing.keep_alive = facts_.keep_alive;
  framing.chunked = chunked_;
  framing.content_length = length;
  framing.request_id = facts_.request_id;
  framing.date_line = *facts_.date_line;
  append_response_head(channel_.out, headers, framing);
}

Coding ResponseStream::choose(Headers& headers, int status, std::optional<size_t> size) const {
  return choose_coding(headers, status, facts_.head ? std::string_view() : facts_.accept_encoding,
                       size, facts_.compress_from_bytes);
}

asio::awaitable<Status> ResponseStream::send(Response response) {
  CHECK(!started());
  const Coding coding = choose(response.headers, response.status, response.body.size());
  if (coding != Coding::kIdentity && response.body.size() > kCodedAtOnce) {
    if (auto begun = co_await begin(response.status, response.headers, coding); !begun)
      co_return begun;
    co_return co_await write(response.body);
  }
  if (coding != Coding::kIdentity) response.body = encode(coding, response.body);
  const bool has_body = status_has_body(response.status);
  append_head(response.status, response.headers,
              has_body ? std::optional<uint64_t>(response.body.size()) : std::nullopt);
  if (!has_body || facts_.head) co_return co_await channel_.flush();
  bytes_sent_ = response.body.size();
  co_return co_await channel_.flush(response.body);
}

asio::awaitable<Status> ResponseStream::start(int status, Headers headers) {
  CHECK(!started());
  const Coding coding = choose(headers, status, std::nullopt);
  co_return co_await begin(status, headers, coding);
}

asio::awaitable<Status> ResponseStream::begin(int status, const Headers& headers, Coding coding) {
  const bool has_body = status_has_body(status);
  encoder_ = Encoder::make(coding);
  chunked_ = has_body && !facts_.http10;
  if (has_body && facts_.http10) facts_.keep_alive = false;
  open_ = has_body && !facts_.head;
  append_head(status, headers, std::nullopt);
  co_return co_await channel_.flush();
}

asio::awaitable<Status> ResponseStream::write_framed(std::string_view bytes) {
  bytes_sent_ += bytes.size();
  if (!chunked_) co_return co_await channel_.flush(bytes);
  append_chunk_size(channel_.out, bytes.size());
  if (bytes.size() <= kCopiedPiece) {
    channel_.out += bytes;
  } else if (auto sent = co_await channel_.flush(bytes); !sent) {
    co_return sent;
  }
  channel_.out += "\r\n";
  co_return co_await channel_.flush();
}

asio::awaitable<Status> ResponseStream::write(std::string_view piece) {
  CHECK(started());
  if (!open_) co_return Status();
  if (!encoder_) co_return piece.empty() ? Status() : co_await write_framed(piece);
  while (!piece.empty()) {
    const std::string_view slice = piece.substr(0, kCodedAtOnce);
    piece.remove_prefix(slice.size());
    if (auto written = co_await write_coded(slice); !written) co_return written;
    // Other connections of this thread get their turn.
    if (!piece.empty()) co_await asio::post(channel_.executor(), asio::use_awaitable);
  }
  co_return Status();
}

asio::awaitable<Status> ResponseStream::write_coded(std::string_view piece) {
  coded_.clear();
  encoder_->write(piece, coded_);
  encoder_->flush(coded_);
  if (coded_.empty()) co_return Status();
  co_return co_await write_framed(coded_);
}

asio::awaitable<void> ResponseStream::finish() {
  if (!open_) co_return;
  if (encoder_) {
    coded_.clear();
    encoder_->finish(coded_);
    if (!coded_.empty()) co_await write_framed(coded_);
  }
  if (chunked_) channel_.out += "0\r\n\r\n";
  open_ = false;
}

bool ResponseStream::cancelled() const {
  return channel_.cancelled() || core_.draining.load(std::memory_order_relaxed);
}

asio::awaitable<bool> ResponseStream::sleep(std::chrono::milliseconds time) {
  if (cancelled()) co_return false;
  co_return co_await channel_.sleep(time) && !cancelled();
}

}  // namespace binnacle::net
