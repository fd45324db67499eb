#include "net/websocket_frames.h"

#include "base/check.h"
#include "base/utf8.h"

#include <algorithm>
#include <array>

namespace binnacle::net {
namespace {

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kCompressed = 0x40;  // RSV1
constexpr uint8_t kReserved = 0x30;
constexpr uint8_t kMasked = 0x80;
constexpr size_t kMaxControlBytes = 125;

bool is_control(Opcode opcode) { return static_cast<uint8_t>(opcode) >= 8; }

bool is_known(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

uint64_t read_big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

void append_big_endian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

// Codes that may stand in a close frame (RFC 6455, 7.4).
bool may_be_sent(uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

void append_frame_header(Opcode opcode, bool compressed, size_t payload_size, bool masked,
                         std::string& out) {
  CHECK(!is_control(opcode) || payload_size <= kMaxControlBytes);
  out.push_back(
      static_cast<char>(kFinal | (compressed ? kCompressed : 0) | static_cast<uint8_t>(opcode)));
  const uint8_t mask_bit = masked ? kMasked : 0;
  if (payload_size <= kMaxControlBytes) {
    out.push_back(static_cast<char>(mask_bit | payload_size));
  } else if (payload_size <= 0xFFFF) {
    out.push_back(static_cast<char>(mask_bit | 126));
    append_big_endian(payload_size, 2, out);
  } else {
    out.push_back(static_cast<char>(mask_bit | 127));
    append_big_endian(payload_size, 8, out);
  }
}

void append_masked(std::string_view payload, uint32_t mask_key, std::string& out) {
  append_big_endian(mask_key, 4, out);
  std::array<char, 4> mask{};
  std::copy_n(out.end() - 4, 4, mask.begin());
  const size_t begin = out.size();
  out.append(payload);
  for (size_t i = 0; i < payload.size(); ++i) out[begin + i] ^= mask[i & 3];
}

std::string close_payload(uint16_t code, std::string_view reason) {
  CHECK(may_be_sent(code));
  std::string payload;
  append_big_endian(code, 2, payload);
  size_t size = std::min(reason.size(), kMaxControlBytes - 2);
  // Not in the middle of a character: the peer would answer 1007.
  while (size > 0 && size < reason.size() && (static_cast<uint8_t>(reason[size]) & 0xC0) == 0x80)
    --size;
  return payload.append(reason.substr(0, size));
}

FrameReader::FrameReader(WebSocketSide own_side, const std::optional<DeflateParameters>& deflate,
                         size_t max_message_bytes)
    : expect_mask_(own_side == WebSocketSide::kServer),
      max_message_bytes_(max_message_bytes),
      inflater_(deflate ? std::make_unique<MessageInflater>(*deflate) : nullptr) {}

void FrameReader::feed(std::string_view bytes) {
  if (position_ > 0) {
    buffer_.erase(0, position_);
    position_ = 0;
  }
  buffer_.append(bytes);
}

Result<FrameReader::Event> FrameReader::next() {
  while (true) {
    if (!frame_) {
      TRY_ASSIGN(const bool whole, read_header());
      if (!whole) return Event::kNeedBytes;
    }
    TRY(take_payload());
    if (frame_->payload_left > 0) return Event::kNeedBytes;
    TRY_ASSIGN(const std::optional<Event> event, end_frame());
    if (event) return *event;
  }
}

Result<bool> FrameReader::read_header() {
  const std::string_view bytes = unread();
  if (bytes.size() < 2) return false;
  const auto first = static_cast<uint8_t>(bytes[0]);
  const auto second = static_cast<uint8_t>(bytes[1]);
  // Judged before the rest is there: a peer that speaks something else gets its answer at once.
  if (auto good = check_header(first, second); !good)
    return broken(failure_code_, good.error().message);
  const uint8_t short_length = second & 0x7F;
  const size_t length_bytes = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  const size_t size = 2 + length_bytes + (expect_mask_ ? 4 : 0);
  if (bytes.size() < size) return false;

  Header header;
  header.final = (first & kFinal) != 0;
  header.compressed = (first & kCompressed) != 0;
  header.opcode = static_cast<Opcode>(first & 0x0F);
  header.payload_left =
      length_bytes == 0 ? short_length : read_big_endian(bytes.substr(2, length_bytes));
  const bool shortest =
      length_bytes == 0 || header.payload_left > (length_bytes == 2 ? 125U : 0xFFFFU);
  if (!shortest || header.payload_left >> 63 != 0)
    return broken(close_code::kProtocolError, "bad length");
  if (expect_mask_) std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(size) - 4, 4, header.mask);
  if (is_control(header.opcode)) {
    control_.clear();
  } else {
    TRY(begin_data_frame(header));
  }
  position_ += size;
  frame_ = header;
  return true;
}

Status FrameReader::check_header(uint8_t first, uint8_t second) const {
  const auto wrong = [](const char* detail) { return fail(Code::kInvalidArgument, detail); };
  const uint8_t number = first & 0x0F;
  if (!is_known(number)) return wrong("unknown opcode");
  const auto opcode = static_cast<Opcode>(number);
  if ((first & kReserved) != 0) return wrong("reserved bits set");
  if (((second & kMasked) != 0) != expect_mask_) {
    return wrong(expect_mask_ ? "client frame without mask" : "server frame with mask");
  }
  const bool compressed = (first & kCompressed) != 0;
  if (compressed && (!inflater_ || is_control(opcode) || opcode == Opcode::kContinuation)) {
    return wrong("compressed frame where none may be");
  }
  if (is_control(opcode)) {
    if ((first & kFinal) == 0) return wrong("fragmented control frame");
    if ((second & 0x7F) > kMaxControlBytes) return wrong("control frame over 125 bytes");
  } else if (in_message_ != (opcode == Opcode::kContinuation)) {
    return wrong(in_message_ ? "new message inside a fragmented one" : "continuation of nothing");
  }
  return {};
}

Status FrameReader::begin_data_frame(const Header& header) {
  if (!in_message_) {
    message_.clear();
    message_opcode_ = header.opcode;
    message_compressed_ = header.compressed;
  }
  // Decoded bytes are counted as they come; coded ones can be judged by the announced length.
  if (header.payload_left > max_message_bytes_ ||
      (!message_compressed_ && message_.size() + header.payload_left > max_message_bytes_)) {
    failure_code_ = close_code::kTooBig;
    return fail(Code::kResourceExhausted, "WebSocket message: larger than the limit (" +
                                              std::to_string(max_message_bytes_) + " bytes)");
  }
  in_message_ = true;
  return {};
}

Status FrameReader::take_payload() {
  Header& frame = *frame_;
  const size_t size = std::min<uint64_t>(unread().size(), frame.payload_left);
  if (size == 0) return {};
  char* const payload = buffer_.data() + position_;
  if (expect_mask_) {
    for (size_t i = 0; i < size; ++i)
      payload[i] ^= static_cast<char>(frame.mask[(frame.mask_at + i) & 3]);
    frame.mask_at += size;
  }
  position_ += size;
  frame.payload_left -= size;
  const std::string_view piece(payload, size);
  if (is_control(frame.opcode)) {
    control_.append(piece);
  } else if (!message_compressed_) {
    message_.append(piece);
  } else if (auto inflated = inflater_->append(piece, message_, max_message_bytes_); !inflated) {
    failure_code_ = inflated.error().code == Code::kResourceExhausted ? close_code::kTooBig
                                                                      : close_code::kBadData;
    return inflated;
  }
  return {};
}

Result<std::optional<FrameReader::Event>> FrameReader::end_frame() {
  const Header frame = *frame_;
  frame_.reset();
  switch (frame.opcode) {
    case Opcode::kPing:
      return Event::kPing;
    case Opcode::kPong:
      return Event::kPong;
    case Opcode::kClose:
      return read_close();
    default:
      break;
  }
  if (!frame.final) return std::nullopt;
  return end_message();
}

Result<FrameReader::Event> FrameReader::end_message() {
  in_message_ = false;
  if (message_compressed_) {
    if (auto ended = inflater_->end_message(message_, max_message_bytes_); !ended) {
      failure_code_ = ended.error().code == Code::kResourceExhausted ? close_code::kTooBig
                                                                     : close_code::kBadData;
      return fail(std::move(ended).error());
    }
  }
  if (message_is_text() && !is_valid_utf8(message_))
    return broken(close_code::kBadData, "text is not UTF-8");
  return Event::kMessage;
}

Result<FrameReader::Event> FrameReader::read_close() {
  peer_close_code_ = close_code::kNone;
  if (control_.empty()) return Event::kClose;
  if (control_.size() == 1) return broken(close_code::kProtocolError, "close frame of one byte");
  peer_close_code_ =
      static_cast<uint16_t>(read_big_endian(std::string_view(control_).substr(0, 2)));
  if (!may_be_sent(peer_close_code_))
    return broken(close_code::kProtocolError, "close code that may not be sent");
  control_.erase(0, 2);
  if (!is_valid_utf8(control_)) return broken(close_code::kBadData, "close reason is not UTF-8");
  return Event::kClose;
}

Unexpected FrameReader::broken(uint16_t code, std::string_view detail) {
  failure_code_ = code;
  return fail(Code::kInvalidArgument, "WebSocket frame: " + std::string(detail));
}

}  // namespace binnacle::net
