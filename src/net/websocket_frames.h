// The frames of RFC 6455 as bytes: a reader that turns them into messages and control events, and a
// writer of headers. No sockets here, so that the fuzzer feeds it from memory. Own code and not
// Beast's: Beast's stream takes 20 s to compile (the house allows 10), cannot be fed from memory,
// and wants a socket type where this room has one Transport for all; the frame layer itself is
// small.
#pragma once

#include "base/error.h"
#include "net/websocket_deflate.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

enum class WebSocketSide : uint8_t { kServer, kClient };

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

namespace close_code {
inline constexpr uint16_t kNormal = 1000;
inline constexpr uint16_t kGoingAway = 1001;
inline constexpr uint16_t kProtocolError = 1002;
inline constexpr uint16_t kNone = 1005;  // never on the wire
inline constexpr uint16_t kBadData = 1007;
inline constexpr uint16_t kTooBig = 1009;
}  // namespace close_code

// A frame that is not fragmented is its header, then the payload (server) or the masked payload
// (client).
void append_frame_header(Opcode opcode, bool compressed, size_t payload_size, bool masked,
                         std::string& out);
void append_masked(std::string_view payload, uint32_t mask_key,
                   std::string& out);  // the key comes first

// The payload of a close frame; `reason` is cut to what fits.
std::string close_payload(uint16_t code, std::string_view reason);

// Takes bytes as they come. After an error nothing more may be asked; failure_code() is what to
// close with.
class FrameReader {
 public:
  enum class Event : uint8_t { kNeedBytes, kMessage, kPing, kPong, kClose };

  FrameReader(WebSocketSide own_side, const std::optional<DeflateParameters>& deflate,
              size_t max_message_bytes);

  void feed(std::string_view bytes);
  Result<Event> next();

  // After kMessage: moves it out.
  bool message_is_text() const { return message_opcode_ == Opcode::kText; }
  std::string take_message() { return std::move(message_); }
  std::string_view message() const { return message_; }  // until next()
  // After kPing and kPong, until next(); after kClose the reason.
  std::string_view control_payload() const { return control_; }
  uint16_t peer_close_code() const { return peer_close_code_; }  // after kClose
  uint16_t failure_code() const { return failure_code_; }

 private:
  struct Header {
    bool final = false;
    bool compressed = false;
    Opcode opcode = Opcode::kContinuation;
    uint64_t payload_left = 0;
    uint8_t mask[4] = {0, 0, 0, 0};
    size_t mask_at = 0;
  };

  Result<bool> read_header();  // false: not whole yet
  Status check_header(uint8_t first, uint8_t second) const;
  Status begin_data_frame(const Header& header);
  Status take_payload();
  Result<std::optional<Event>> end_frame();
  Result<Event> end_message();
  Result<Event> read_close();
  std::string_view unread() const { return std::string_view(buffer_).substr(position_); }
  Unexpected broken(uint16_t code, std::string_view detail);

  const bool expect_mask_;                           // Fixed after construction
  const size_t max_message_bytes_;                   // Fixed after construction
  const std::unique_ptr<MessageInflater> inflater_;  // null without the extension

  std::string buffer_;  // bytes fed; those before position_ are used up
  size_t position_ = 0;
  std::optional<Header> frame_;  // being read
  bool in_message_ = false;      // between a first fragment and the last
  bool message_compressed_ = false;
  Opcode message_opcode_ = Opcode::kText;
  std::string message_;
  std::string control_;
  uint16_t peer_close_code_ = close_code::kNone;
  uint16_t failure_code_ = close_code::kProtocolError;
};

}  // namespace binnacle::net
