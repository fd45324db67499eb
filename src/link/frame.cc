#include "link/frame.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace binnacle::link {
namespace {

using protozero::pbf_wire_type;

constexpr size_t kMaxReasonBytes = 1024;
constexpr size_t kMaxShortBytes = 64;  // boot ids, versions, capabilities
constexpr size_t kMaxSubjectBytes = 200;
constexpr size_t kMaxKindBytes = 100;
constexpr size_t kMaxDataBytes = 16 * 1024;
constexpr size_t kMaxCapabilities = 32;

constexpr std::array<std::string_view, std::variant_size_v<Frame>> kFrameNames = {
    "hello", "hello_reply",   "beat",         "beat_reply", "check_result",
    "event", "probe_request", "probe_reply",  "drain",      "goodbye",
    "pace",  "peers",         "echo_request", "echo_reply", "facts"};

struct Malformed {
  std::string what;
};

// The tables of the format: each message names its fields once, for writer and reader alike.
template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Hello>
void fields(V& v, M& m) {
  v.number(1, m.newest_version);
  v.number(2, m.oldest_version);
  v.text(3, m.node_id, kNodeIdDigits);
  v.text(4, m.name, kMaxNameBytes);
  v.text(5, m.role, kMaxRoleBytes);
  v.text(6, m.cluster, kMaxNameBytes);
  v.text(7, m.boot_id, kMaxShortBytes);
  v.text(8, m.software, kMaxShortBytes);
  v.text(9, m.probe_address, kMaxAddressBytes);
  v.texts(10, m.capabilities, kMaxCapabilities, kMaxShortBytes);
  v.number(11, m.oldest_sample_ms);
  v.text(12, m.echo_address, kMaxAddressBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, HelloReply>
void fields(V& v, M& m) {
  v.number(1, m.accepted);
  v.number(2, m.version);
  v.choice(3, m.refusal, kRefusals);
  v.text(4, m.reason, kMaxReasonBytes);
  v.number(5, m.beat_interval_ms);
  v.number(6, m.silence_limit_ms);
  v.number(7, m.late_limit_ms);
  v.text(8, m.software, kMaxShortBytes);
  v.text(9, m.server_boot, kMaxShortBytes);
  v.text(10, m.address, kMaxAddressBytes);
  v.bytes(11, m.echo_key, kMaxEchoKeyBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, LoadDigest>
void fields(V& v, M& m) {
  v.number(1, m.requests_running);
  v.number(2, m.requests_waiting);
  v.number(3, m.cpu_permille);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Beat>
void fields(V& v, M& m) {
  v.number(1, m.number);
  v.number(2, m.sent_ns);
  v.number(3, m.answered_number);
  v.number(4, m.answered_ns);
  v.number(5, m.loop_lag_us);
  v.message(6, m.load);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, BeatReply>
void fields(V& v, M& m) {
  v.number(1, m.number);
  v.number(2, m.received_ns);
  v.number(3, m.sent_ns);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, CheckResult>
void fields(V& v, M& m) {
  constexpr size_t kOutcomes = 5;
  v.text(1, m.check, kMaxSubjectBytes);
  v.choice(2, m.outcome, kOutcomes);
  v.text(3, m.message, kMaxReasonBytes);
  v.number(4, m.time_ms);
  v.number(5, m.ttl_ms);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, NodeEvent>
void fields(V& v, M& m) {
  v.text(1, m.kind, kMaxKindBytes);
  v.text(2, m.subject, kMaxSubjectBytes);
  v.text(3, m.data, kMaxDataBytes);
  v.number(4, m.time_ms);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, ProbeRequest>
void fields(V& v, M& m) {
  v.number(1, m.id);
  v.text(2, m.address, kMaxAddressBytes);
  v.number(3, m.timeout_ms);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, ProbeReply>
void fields(V& v, M& m) {
  v.number(1, m.id);
  v.number(2, m.reached);
  v.number(3, m.round_trip_ns);
  v.text(4, m.error, kMaxReasonBytes);
}

template <typename V, typename M>
  requires(std::same_as<std::remove_const_t<M>, Drain> ||
           std::same_as<std::remove_const_t<M>, Goodbye>)
void fields(V& v, M& m) {
  v.text(1, m.reason, kMaxReasonBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Pace>
void fields(V& v, M& m) {
  v.number(1, m.interval_ms);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Peer>
void fields(V& v, M& m) {
  v.text(1, m.node_id, kNodeIdDigits);
  v.text(2, m.name, kMaxNameBytes);
  v.text(3, m.address, kMaxAddressBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Peers>
void fields(V& v, M& m) {
  v.messages(1, m.peers, kMaxPeers);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, EchoRequest>
void fields(V& v, M& m) {
  v.number(1, m.id);
  v.text(2, m.address, kMaxAddressBytes);
  v.number(3, m.interval_ms);
  v.number(4, m.duration_ms);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, EchoReply>
void fields(V& v, M& m) {
  v.number(1, m.id);
  v.number(2, m.sent);
  v.number(3, m.answered);
  v.number(4, m.round_trip_ns);
  v.number(5, m.done);
  v.text(6, m.error, kMaxReasonBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Fact>
void fields(V& v, M& m) {
  v.text(1, m.name, kMaxFactNameBytes);
  v.text(2, m.value, kMaxFactValueBytes);
}

template <typename V, typename M>
  requires std::same_as<std::remove_const_t<M>, Facts>
void fields(V& v, M& m) {
  v.messages(1, m.facts, kMaxFacts);
}

std::string_view cut(std::string_view text, size_t max) {
  if (text.size() <= max) return text;
  size_t end = max;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

template <typename M>
std::string bytes_of(const M& message);

class FieldWriter {
 public:
  explicit FieldWriter(protozero::pbf_writer& out) : out_(out) {}

  template <std::integral T>
  void number(uint32_t tag, T value) {
    if (value == 0) return;
    if constexpr (std::is_signed_v<T>) {
      out_.add_int64(tag, value);
    } else {
      out_.add_uint64(tag, value);
    }
  }
  template <typename E>
  void choice(uint32_t tag, E value, size_t) {
    number(tag, static_cast<uint64_t>(value));
  }
  void text(uint32_t tag, const std::string& value, size_t max) {
    if (!value.empty()) add_text(tag, value, max);
  }
  void bytes(uint32_t tag, const std::string& value, size_t max) {
    if (!value.empty()) out_.add_bytes(tag, value.data(), std::min(value.size(), max));
  }
  void texts(uint32_t tag, const std::vector<std::string>& values, size_t max_count, size_t max) {
    for (size_t i = 0; i < std::min(values.size(), max_count); ++i) add_text(tag, values[i], max);
  }
  template <typename M>
  void message(uint32_t tag, const std::optional<M>& value) {
    if (value) out_.add_message(tag, bytes_of(*value));
  }
  template <typename M>
  void messages(uint32_t tag, const std::vector<M>& values, size_t max_count) {
    for (size_t i = 0; i < std::min(values.size(), max_count); ++i) {
      out_.add_message(tag, bytes_of(values[i]));
    }
  }

 private:
  void add_text(uint32_t tag, std::string_view value, size_t max) {
    const std::string_view fits = cut(value, max);
    out_.add_string(tag, fits.data(), fits.size());
  }

  protozero::pbf_writer& out_;
};

// (A writer nested in another would leave an empty message out.)
template <typename M>
std::string bytes_of(const M& message) {
  std::string bytes;
  protozero::pbf_writer out(bytes);
  FieldWriter writer(out);
  fields(writer, message);
  return bytes;
}

// Stands on one field of a message; the member whose tag it is takes it.
class FieldReader {
 public:
  explicit FieldReader(protozero::pbf_reader& in) : in_(in) {}
  bool taken() const { return taken_; }

  template <std::integral T>
  void number(uint32_t tag, T& value) {
    if (!is(tag, pbf_wire_type::varint)) return;
    if constexpr (std::is_signed_v<T>) {
      value = in_.get_int64();
    } else {
      const uint64_t wide = in_.get_uint64();
      if constexpr (std::same_as<T, bool>) {
        value = wide != 0;
      } else {
        if (wide > std::numeric_limits<T>::max()) complain(tag, "a number out of range");
        value = static_cast<T>(wide);
      }
    }
  }
  // A choice that a newer peer knows counts as the first, "unknown".
  template <typename E>
  void choice(uint32_t tag, E& value, size_t count) {
    uint64_t wide = 0;
    if (!is(tag, pbf_wire_type::varint)) return;
    wide = in_.get_uint64();
    value = wide < count ? static_cast<E>(wide) : E{};
  }
  void text(uint32_t tag, std::string& value, size_t max) {
    if (is(tag, pbf_wire_type::length_delimited)) value = read_text(tag, max);
  }
  void bytes(uint32_t tag, std::string& value, size_t max) {
    if (is(tag, pbf_wire_type::length_delimited)) value = read_bytes(tag, max);
  }
  void texts(uint32_t tag, std::vector<std::string>& values, size_t max_count, size_t max) {
    if (!is(tag, pbf_wire_type::length_delimited)) return;
    if (values.size() == max_count) complain(tag, "too many");
    values.push_back(read_text(tag, max));
  }
  template <typename M>
  void message(uint32_t tag, std::optional<M>& value);
  template <typename M>
  void messages(uint32_t tag, std::vector<M>& values, size_t max_count);

 private:
  bool is(uint32_t tag, pbf_wire_type type) {
    if (taken_ || in_.tag() != tag) return false;
    if (in_.wire_type() != type) complain(tag, "the wrong wire type");
    taken_ = true;
    return true;
  }
  std::string_view read_bytes(uint32_t tag, size_t max) {
    const auto view = in_.get_view();
    if (view.size() > max) complain(tag, fmt::format("{} bytes, at most {} fit", view.size(), max));
    return {view.data(), view.size()};
  }
  std::string read_text(uint32_t tag, size_t max) {
    const std::string_view text = read_bytes(tag, max);
    if (!is_valid_utf8(text)) complain(tag, "not UTF-8");
    return std::string(text);
  }
  [[noreturn]] static void complain(uint32_t tag, std::string_view what) {
    throw Malformed{fmt::format("field {}: {}", tag, what)};
  }

  protozero::pbf_reader& in_;
  bool taken_ = false;
};

template <typename M>
M read_fields(protozero::pbf_reader in) {
  M message;
  while (in.next()) {
    FieldReader reader(in);
    fields(reader, message);
    if (!reader.taken()) in.skip();
  }
  return message;
}

template <typename M>
void FieldReader::messages(uint32_t tag, std::vector<M>& values, size_t max_count) {
  if (!is(tag, pbf_wire_type::length_delimited)) return;
  if (values.size() == max_count) complain(tag, "too many");
  values.push_back(read_fields<M>(in_.get_message()));
}

template <typename M>
void FieldReader::message(uint32_t tag, std::optional<M>& value) {
  if (is(tag, pbf_wire_type::length_delimited)) value = read_fields<M>(in_.get_message());
}

template <size_t I = 0>
void read_kind(protozero::pbf_reader& in, std::vector<Frame>& out) {
  if constexpr (I < std::variant_size_v<Frame>) {
    if (in.tag() != I + 1) return read_kind<I + 1>(in, out);
    if (in.wire_type() != pbf_wire_type::length_delimited)
      throw Malformed{"a frame of the wrong wire type"};
    try {
      out.push_back(read_fields<std::variant_alternative_t<I, Frame>>(in.get_message()));
    } catch (Malformed& malformed) {
      malformed.what = fmt::format("{}: {}", kFrameNames[I], malformed.what);
      throw;
    }
  } else {
    in.skip();
  }
}

// One kind for each frame, the first that is known.
void read_frame(std::string_view bytes, Message& message) {
  protozero::pbf_reader in(protozero::data_view(bytes.data(), bytes.size()));
  const size_t before = message.frames.size();
  while (message.frames.size() == before && in.next()) read_kind(in, message.frames);
  while (in.next()) in.skip();
  if (message.frames.size() == before) ++message.unknown;
}

void read_message(std::string_view bytes, Message& message) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  size_t count = 0;
  while (at != end) {
    if (++count > kMaxFramesPerMessage) throw Malformed{"too many frames in one message"};
    const uint64_t length = protozero::decode_varint(&at, end);
    if (length > kMaxFrameBytes)
      throw Malformed{fmt::format("a frame of {} bytes, at most {} fit", length, kMaxFrameBytes)};
    if (length > static_cast<uint64_t>(end - at)) throw Malformed{"a frame is cut short"};
    read_frame({at, static_cast<size_t>(length)}, message);
    at += length;
  }
}

}  // namespace

std::string_view refusal_name(Refusal refusal) {
  constexpr std::array<std::string_view, kRefusals> kNames = {
      "none", "version", "hello", "name_taken", "id_in_use", "too_many_nodes", "stopping"};
  return kNames[static_cast<size_t>(refusal)];
}

std::string_view frame_name(const Frame& frame) { return kFrameNames[frame.index()]; }

void append_frame(const Frame& frame, std::string& message) {
  std::string body;
  protozero::pbf_writer out(body);
  std::visit(
      [&](const auto& kind) {
        out.add_message(static_cast<uint32_t>(frame.index() + 1), bytes_of(kind));
      },
      frame);
  protozero::write_varint(std::back_inserter(message), body.size());
  message += body;
}

Result<Message> decode_message(std::string_view bytes) {
  if (bytes.size() > kMaxMessageBytes) {
    return fail(Code::kInvalidArgument, fmt::format("link message: {} bytes, at most {} fit",
                                                    bytes.size(), kMaxMessageBytes));
  }
  Message message;
  try {
    read_message(bytes, message);
  } catch (const Malformed& malformed) {
    return fail(Code::kInvalidArgument, "link message: " + malformed.what);
  } catch (const std::exception& malformed) {
    return fail(Code::kInvalidArgument,
                fmt::format("link message: not protobuf: {}", malformed.what()));
  }
  return message;
}

}  // namespace binnacle::link
