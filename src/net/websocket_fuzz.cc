// Frames from a hostile peer. The first byte chooses the side and the extension, the second how the
// rest is cut into pieces; what comes out must keep the reader's promises whatever goes in.
#include "base/check.h"
#include "base/utf8.h"
#include "net/websocket_frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace binnacle::net;

constexpr size_t kMaxMessageBytes = 4096;

// What was read goes out as a frame and must come back the same.
void check_round_trip(bool text, const std::string& message) {
  std::string frame;
  append_frame_header(text ? Opcode::kText : Opcode::kBinary, false, message.size(), true, frame);
  append_masked(message, 0x12345678, frame);
  FrameReader reader(WebSocketSide::kServer, std::nullopt, kMaxMessageBytes);
  reader.feed(frame);
  const auto event = reader.next();
  CHECK(event.has_value() && *event == FrameReader::Event::kMessage);
  CHECK(reader.message_is_text() == text && reader.take_message() == message);
}

void check_event(FrameReader& reader, FrameReader::Event event) {
  if (event == FrameReader::Event::kMessage) {
    const bool text = reader.message_is_text();
    const std::string message = reader.take_message();
    CHECK(message.size() <= kMaxMessageBytes);
    CHECK(!text || binnacle::is_valid_utf8(message));
    check_round_trip(text, message);
  } else {
    CHECK(reader.control_payload().size() <= 125);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto side = (data[0] & 1) != 0 ? WebSocketSide::kServer : WebSocketSide::kClient;
  std::optional<DeflateParameters> deflate;
  if ((data[0] & 2) != 0) deflate = DeflateParameters{.peer_context_takeover = (data[0] & 4) != 0};
  const size_t piece = data[1] == 0 ? size : data[1];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  FrameReader reader(side, deflate, kMaxMessageBytes);
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const auto event = reader.next();
      if (!event) {
        const uint16_t code = reader.failure_code();
        CHECK(code == close_code::kProtocolError || code == close_code::kBadData ||
              code == close_code::kTooBig);
        return 0;
      }
      if (*event == FrameReader::Event::kNeedBytes) break;
      check_event(reader, *event);
      if (*event == FrameReader::Event::kClose) return 0;
    }
  }
  return 0;
}
