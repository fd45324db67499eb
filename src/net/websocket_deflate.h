// permessage-deflate (RFC 7692) on zlib's raw streams: one message at a time in each direction.
// Memory is taken on first use. Our side compresses with a 4 KiB window, which any peer can read:
// 16 KiB a connection instead of 256, for a page's small JSON deltas nearly as good.
#pragma once

#include "base/error.h"
#include "net/websocket_handshake.h"

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace binnacle::net {

class MessageDeflater {
 public:
  explicit MessageDeflater(const DeflateParameters& agreed);
  ~MessageDeflater();
  MessageDeflater(const MessageDeflater&) = delete;
  MessageDeflater& operator=(const MessageDeflater&) = delete;

  // One whole message. A failed write must end the connection, since the peer's window would
  // differ.
  void compress(std::string_view message, std::string& out);

 private:
  const bool context_takeover_;  // Fixed after construction
  const int window_bits_;        // Fixed after construction
  std::unique_ptr<z_stream_s> zlib_;
};

class MessageInflater {
 public:
  explicit MessageInflater(const DeflateParameters& agreed);
  ~MessageInflater();
  MessageInflater(const MessageInflater&) = delete;
  MessageInflater& operator=(const MessageInflater&) = delete;

  // A piece of a message, appended decoded to `message`, which must not grow beyond `max_bytes`
  // (kResourceExhausted). kInvalidArgument for broken data.
  Status append(std::string_view piece, std::string& message, size_t max_bytes);
  Status end_message(std::string& message, size_t max_bytes);

 private:
  const bool context_takeover_;  // Fixed after construction
  std::unique_ptr<z_stream_s> zlib_;
};

}  // namespace binnacle::net
