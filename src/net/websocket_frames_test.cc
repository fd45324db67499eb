#include "net/websocket_frames.h"

#include <gtest/gtest.h>

#include <vector>

namespace binnacle::net {
namespace {

using Event = FrameReader::Event;

constexpr size_t kMaxBytes = 100'000;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

std::string frame(Opcode opcode, std::string_view payload, bool compressed = false) {
  std::string out;
  append_frame_header(opcode, compressed, payload.size(), false, out);
  return out.append(payload);
}

std::string masked_frame(Opcode opcode, std::string_view payload) {
  std::string out;
  append_frame_header(opcode, false, payload.size(), true, out);
  append_masked(payload, 0x37fa213d, out);
  return out;
}

// A data frame that is not the last of its message.
std::string open_frame(Opcode opcode, std::string_view payload) {
  std::string out = frame(opcode, payload);
  out[0] = static_cast<char>(out[0] & 0x7F);
  return out;
}

FrameReader client_reader(const std::optional<DeflateParameters>& deflate = std::nullopt) {
  return FrameReader(WebSocketSide::kClient, deflate, kMaxBytes);
}

// What the reader says to `input` given `piece` bytes at a time: messages and controls in order,
// then "error CODE" where it refuses.
std::vector<std::string> read_all(FrameReader& reader, std::string_view input,
                                  size_t piece = 1'000'000) {
  std::vector<std::string> seen;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    reader.feed(input.substr(0, piece));
    while (true) {
      const auto event = reader.next();
      if (!event) {
        seen.push_back("error " + std::to_string(reader.failure_code()));
        return seen;
      }
      if (*event == Event::kNeedBytes) break;
      if (*event == Event::kMessage) {
        const char* kind = reader.message_is_text() ? "text " : "binary ";
        seen.push_back(kind + reader.take_message());
      } else {
        const std::string name = *event == Event::kPing ? "ping "
                                 : *event == Event::kPong
                                     ? "pong "
                                     : "close " + std::to_string(reader.peer_close_code()) + " ";
        seen.push_back(name + std::string(reader.control_payload()));
      }
    }
  }
  return seen;
}

std::vector<std::string> read_as_client(std::string_view input) {
  FrameReader reader = client_reader();
  return read_all(reader, input);
}

using Seen = std::vector<std::string>;

TEST(WebSocketFrames, ReadsTheExamplesOfTheRfc) {  // RFC 6455, 5.7
  EXPECT_EQ(read_as_client(bytes({0x81, 0x05}) + "Hello"), Seen{"text Hello"});
  FrameReader server(WebSocketSide::kServer, std::nullopt, kMaxBytes);
  EXPECT_EQ(
      read_all(server, bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
      Seen{"text Hello"});
  EXPECT_EQ(read_as_client(bytes({0x01, 0x03}) + "Hel" + bytes({0x80, 0x02}) + "lo"),
            Seen{"text Hello"});
  EXPECT_EQ(masked_frame(Opcode::kText, "Hello"),
            bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
}

TEST(WebSocketFrames, ReadsTheExampleOfCompression) {  // RFC 7692, 7.2.3.1
  FrameReader reader = client_reader(DeflateParameters{});
  EXPECT_EQ(read_all(reader, bytes({0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})),
            Seen{"text Hello"});
  // The second refers into the first one's window.
  EXPECT_EQ(read_all(reader, bytes({0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00})),
            Seen{"text Hello"});
  // A block marked as the last, padded (7.2.3.4).
  EXPECT_EQ(read_all(reader, bytes({0xc1, 0x08, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})),
            Seen{"text Hello"});
}

TEST(WebSocketFrames, AllLengthsInAllPieces) {
  for (const size_t size : {0, 1, 125, 126, 127, 65535, 65536}) {
    const std::string payload(size, 'x');
    const std::string input =
        masked_frame(Opcode::kBinary, payload) + masked_frame(Opcode::kPing, "p");
    for (const size_t piece : {size_t{1}, size_t{3}, input.size()}) {
      FrameReader reader(WebSocketSide::kServer, std::nullopt, kMaxBytes);
      EXPECT_EQ(read_all(reader, input, piece), (Seen{"binary " + payload, "ping p"}))
          << size << " by " << piece;
    }
  }
}

TEST(WebSocketFrames, ControlFramesMayStandBetweenFragments) {
  EXPECT_EQ(
      read_as_client(open_frame(Opcode::kText, "a") + frame(Opcode::kPing, "1") +
                     open_frame(Opcode::kContinuation, "b") + frame(Opcode::kContinuation, "c")),
      (Seen{"ping 1", "text abc"}));
}

TEST(WebSocketFrames, RefusesWhatTheRfcForbids) {
  struct Case {
    const char* what;
    std::string input;
  };
  const Case cases[] = {
      {"unknown data opcode", bytes({0x83, 0x00})},
      {"unknown control opcode", bytes({0x8B, 0x00})},
      {"reserved bit 2", bytes({0xA1, 0x00})},
      {"reserved bit 3", bytes({0x91, 0x00})},
      {"compressed without the extension", bytes({0xC1, 0x00})},
      {"masked by a server", masked_frame(Opcode::kText, "x")},
      {"fragmented ping", bytes({0x09, 0x00})},
      {"ping over 125 bytes", bytes({0x89, 0x7E, 0x00, 0x7E})},
      {"continuation of nothing", frame(Opcode::kContinuation, "x")},
      {"message inside a message", open_frame(Opcode::kText, "a") + frame(Opcode::kText, "b")},
      {"length not the shortest, 16 bits", bytes({0x82, 0x7E, 0x00, 0x7D})},
      {"length not the shortest, 64 bits", bytes({0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})},
      {"length over 63 bits", bytes({0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0})},
      {"close of one byte", frame(Opcode::kClose, "x")},
      {"close code 1005", frame(Opcode::kClose, bytes({0x03, 0xED}))},
      {"close code 999", frame(Opcode::kClose, bytes({0x03, 0xE7}))},
      {"close code 5000", frame(Opcode::kClose, bytes({0x13, 0x88}))},
  };
  for (const Case& one : cases)
    EXPECT_EQ(read_as_client(one.input), Seen{"error 1002"}) << one.what;
  FrameReader server(WebSocketSide::kServer, std::nullopt, kMaxBytes);
  EXPECT_EQ(read_all(server, frame(Opcode::kText, "x")), Seen{"error 1002"})
      << "unmasked by a client";
}

TEST(WebSocketFrames, TextMustBeUtf8AsAWhole) {
  EXPECT_EQ(read_as_client(frame(Opcode::kText, "\xC3\x28")), Seen{"error 1007"});
  EXPECT_EQ(read_as_client(frame(Opcode::kBinary, "\xC3\x28")), Seen{"binary \xC3\x28"});
  // One character over two frames is fine, half a one at the end is not.
  EXPECT_EQ(
      read_as_client(open_frame(Opcode::kText, "\xC3") + frame(Opcode::kContinuation, "\xA9")),
      Seen{"text é"});
  EXPECT_EQ(read_as_client(frame(Opcode::kText, "\xC3")), Seen{"error 1007"});
  EXPECT_EQ(read_as_client(frame(Opcode::kClose, bytes({0x03, 0xE8}) + "\xFF")),
            Seen{"error 1007"});
}

TEST(WebSocketFrames, RefusesTooLargeBeforeItIsHere) {
  std::string head;
  append_frame_header(Opcode::kBinary, false, kMaxBytes + 1, false, head);
  EXPECT_EQ(read_as_client(head), Seen{"error 1009"});
  const std::string half(kMaxBytes / 2 + 1, 'x');
  EXPECT_EQ(read_as_client(open_frame(Opcode::kBinary, half) + frame(Opcode::kContinuation, half)),
            Seen{"error 1009"});
  EXPECT_EQ(read_as_client(frame(Opcode::kBinary, std::string(kMaxBytes, 'x'))).front().size(),
            kMaxBytes + 7);
}

TEST(WebSocketFrames, RefusesACompressedBomb) {
  MessageDeflater deflater(DeflateParameters{});
  std::string coded;
  deflater.compress(std::string(kMaxBytes * 20, 'a'), coded);
  ASSERT_LT(coded.size(), kMaxBytes);
  FrameReader reader = client_reader(DeflateParameters{});
  EXPECT_EQ(read_all(reader, frame(Opcode::kBinary, coded, true)), Seen{"error 1009"});
  FrameReader other = client_reader(DeflateParameters{});
  EXPECT_EQ(read_all(other, frame(Opcode::kBinary, "not deflate", true)), Seen{"error 1007"});
}

TEST(WebSocketFrames, CompressedMessagesRoundTrip) {
  for (const bool takeover : {true, false}) {
    const DeflateParameters agreed{.own_context_takeover = takeover,
                                   .peer_context_takeover = takeover};
    MessageDeflater deflater(agreed);
    FrameReader reader = client_reader(agreed);
    size_t coded_bytes[2];
    for (size_t& size : coded_bytes) {
      std::string coded;
      const std::string message =
          R"({"series":"node_cpu_seconds_total","mode":"idle","value":12345})";
      deflater.compress(message, coded);
      size = coded.size();
      // As two fragments: only the first carries the mark.
      const std::string_view all(coded);
      std::string first = frame(Opcode::kText, all.substr(0, 2), true);
      first[0] = static_cast<char>(first[0] & 0x7F);
      EXPECT_EQ(read_all(reader, first + frame(Opcode::kContinuation, all.substr(2)), 7),
                Seen{"text " + message});
    }
    if (takeover) {
      EXPECT_LT(coded_bytes[1], coded_bytes[0] / 2);
    } else {
      EXPECT_EQ(coded_bytes[1], coded_bytes[0]);
    }
  }
  MessageDeflater deflater(DeflateParameters{});
  FrameReader reader = client_reader(DeflateParameters{});
  std::string empty;
  deflater.compress("", empty);
  EXPECT_EQ(read_all(reader, frame(Opcode::kText, empty, true)), Seen{"text "});
}

TEST(WebSocketFrames, CloseCarriesCodeAndReason) {
  EXPECT_EQ(read_as_client(frame(Opcode::kClose, close_payload(1001, "bye"))),
            Seen{"close 1001 bye"});
  EXPECT_EQ(read_as_client(frame(Opcode::kClose, "")), Seen{"close 1005 "});
  // A long reason is cut to fit, between characters.
  std::string reason;
  for (int i = 0; i < 100; ++i) reason += "é";
  const std::string payload = close_payload(1000, reason);
  EXPECT_EQ(payload.size(), 124U);
  EXPECT_EQ(read_as_client(frame(Opcode::kClose, payload)),
            Seen{"close 1000 " + reason.substr(0, 122)});
}

}  // namespace
}  // namespace binnacle::net
