#include "net/websocket_deflate.h"

#include "base/check.h"

#include <zlib.h>

#include <algorithm>

namespace binnacle::net {
namespace {

constexpr int kOwnWindowBits = 12;
constexpr int kMemoryLevel = 5;
constexpr int kLevel = 5;
constexpr int kPeerWindowBits = 15;
// What every message ends with on the way in and loses on the way out (RFC 7692, 7.2.1).
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

MessageDeflater::MessageDeflater(const DeflateParameters& agreed)
    : context_takeover_(agreed.own_context_takeover),
      window_bits_(std::min(agreed.own_window_bits, kOwnWindowBits)) {}

MessageDeflater::~MessageDeflater() {
  if (zlib_) deflateEnd(zlib_.get());
}

void MessageDeflater::compress(std::string_view message, std::string& out) {
  if (!zlib_) {
    zlib_ = std::make_unique<z_stream>();
    CHECK(deflateInit2(zlib_.get(), kLevel, Z_DEFLATED, -window_bits_, kMemoryLevel,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  }
  const size_t begin = out.size();
  char piece[4096];
  zlib_->next_in = bytes_of(message);
  zlib_->avail_in = static_cast<uInt>(message.size());
  do {
    zlib_->next_out = reinterpret_cast<Bytef*>(piece);
    zlib_->avail_out = sizeof piece;
    deflate(zlib_.get(), Z_SYNC_FLUSH);
    out.append(piece, sizeof piece - zlib_->avail_out);
  } while (zlib_->avail_out == 0);
  CHECK(out.size() - begin >= kTail.size() && std::string_view(out).ends_with(kTail));
  out.resize(out.size() - kTail.size());
  if (out.size() == begin) out.push_back('\0');  // an empty message still is one block (7.2.3.6)
  if (!context_takeover_) deflateReset(zlib_.get());
}

MessageInflater::MessageInflater(const DeflateParameters& agreed)
    : context_takeover_(agreed.peer_context_takeover) {}

MessageInflater::~MessageInflater() {
  if (zlib_) inflateEnd(zlib_.get());
}

Status MessageInflater::append(std::string_view piece, std::string& message, size_t max_bytes) {
  if (!zlib_) {
    zlib_ = std::make_unique<z_stream>();
    CHECK(inflateInit2(zlib_.get(), -kPeerWindowBits) == Z_OK);
  }
  char decoded[16 * 1024];
  zlib_->next_in = bytes_of(piece);
  zlib_->avail_in = static_cast<uInt>(piece.size());
  do {
    zlib_->next_out = reinterpret_cast<Bytef*>(decoded);
    zlib_->avail_out = sizeof decoded;
    const int result = inflate(zlib_.get(), Z_SYNC_FLUSH);
    if (result == Z_STREAM_END) {
      // A block marked as the last: allowed (7.2.3.4). What follows is a stream of its own.
      inflateReset(zlib_.get());
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return fail(Code::kInvalidArgument, "WebSocket message: broken compressed data");
    }
    const size_t n = sizeof decoded - zlib_->avail_out;
    if (message.size() + n > max_bytes) {
      return fail(Code::kResourceExhausted, "WebSocket message: larger than the limit (" +
                                                std::to_string(max_bytes) + " bytes)");
    }
    message.append(decoded, n);
    if (result == Z_BUF_ERROR) break;
  } while (zlib_->avail_in > 0 || zlib_->avail_out == 0);
  return {};
}

Status MessageInflater::end_message(std::string& message, size_t max_bytes) {
  TRY(append(kTail, message, max_bytes));
  if (!context_takeover_) inflateReset(zlib_.get());
  return {};
}

}  // namespace binnacle::net
