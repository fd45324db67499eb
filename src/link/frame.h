// What server and agent say to each other: the frames of docs/formats/link.md, as plain values, and
// their bytes. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace binnacle::link {

inline constexpr uint32_t kNewestVersion = 1;
inline constexpr uint32_t kOldestVersion = 1;  // the one before the newest, once there is one
inline constexpr size_t kMaxFrameBytes = size_t{256} << 10;
inline constexpr size_t kMaxMessageBytes = size_t{512} << 10;
inline constexpr size_t kMaxFramesPerMessage = 64;
inline constexpr size_t kNodeIdDigits = 32;
inline constexpr size_t kMaxNameBytes = 128;  // of a node and of a cluster
inline constexpr size_t kMaxRoleBytes = 64;
inline constexpr size_t kMaxAddressBytes = 300;
inline constexpr size_t kMaxPeers = 2048;
inline constexpr size_t kMaxEchoKeyBytes = 32;
inline constexpr size_t kMaxFacts = 32;
inline constexpr size_t kMaxFactNameBytes = 64;
inline constexpr size_t kMaxFactValueBytes = 256;

enum class Refusal : uint8_t {
  kNone,
  kVersion,
  kHello,
  kNameTaken,
  kIdInUse,
  kTooManyNodes,
  kStopping
};
inline constexpr size_t kRefusals = 7;
std::string_view refusal_name(Refusal refusal);  // "name_taken"

enum class CheckOutcome : uint8_t { kUnknown, kHealthy, kWarning, kCritical, kFailed };

struct Hello {
  uint32_t newest_version = kNewestVersion;
  uint32_t oldest_version = kOldestVersion;
  std::string node_id;
  std::string name;
  std::string role;
  std::string cluster;
  std::string boot_id;
  std::string software;
  std::string probe_address;
  std::vector<std::string> capabilities;
  int64_t oldest_sample_ms = 0;
  std::string echo_address;
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct HelloReply {
  bool accepted = false;
  uint32_t version = 0;
  Refusal refusal = Refusal::kNone;
  std::string reason;
  uint32_t beat_interval_ms = 0;
  uint32_t silence_limit_ms = 0;
  int64_t late_limit_ms = 0;
  std::string software;
  std::string server_boot;
  std::string address;
  std::string echo_key;  // raw bytes
  friend bool operator==(const HelloReply&, const HelloReply&) = default;
};

struct LoadDigest {
  uint32_t requests_running = 0;
  uint32_t requests_waiting = 0;
  uint32_t cpu_permille = 0;  // of all cores together
  friend bool operator==(const LoadDigest&, const LoadDigest&) = default;
};

struct Beat {
  uint64_t number = 0;
  int64_t sent_ns = 0;
  uint64_t answered_number = 0;
  int64_t answered_ns = 0;
  uint32_t loop_lag_us = 0;
  std::optional<LoadDigest> load = {};
  friend bool operator==(const Beat&, const Beat&) = default;
};

struct BeatReply {
  uint64_t number = 0;
  int64_t received_ns = 0;
  int64_t sent_ns = 0;
  friend bool operator==(const BeatReply&, const BeatReply&) = default;
};

struct CheckResult {
  std::string check;
  CheckOutcome outcome = CheckOutcome::kUnknown;
  std::string message;
  int64_t time_ms = 0;
  uint32_t ttl_ms = 0;
  friend bool operator==(const CheckResult&, const CheckResult&) = default;
};

struct NodeEvent {
  std::string kind;
  std::string subject;
  std::string data;
  int64_t time_ms = 0;
  friend bool operator==(const NodeEvent&, const NodeEvent&) = default;
};

struct ProbeRequest {
  uint64_t id = 0;
  std::string address;
  uint32_t timeout_ms = 0;
  friend bool operator==(const ProbeRequest&, const ProbeRequest&) = default;
};

struct ProbeReply {
  uint64_t id = 0;
  bool reached = false;
  int64_t round_trip_ns = 0;
  std::string error;
  friend bool operator==(const ProbeReply&, const ProbeReply&) = default;
};

struct Drain {
  std::string reason;
  friend bool operator==(const Drain&, const Drain&) = default;
};

struct Goodbye {
  std::string reason;
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

struct Pace {
  uint32_t interval_ms = 0;
  friend bool operator==(const Pace&, const Pace&) = default;
};

struct Peer {
  std::string node_id;
  std::string name;
  std::string address;
  friend bool operator==(const Peer&, const Peer&) = default;
};

struct Peers {
  std::vector<Peer> peers;
  friend bool operator==(const Peers&, const Peers&) = default;
};

struct EchoRequest {
  uint64_t id = 0;
  std::string address;
  uint32_t interval_ms = 0;
  uint32_t duration_ms = 0;  // 0: stop
  friend bool operator==(const EchoRequest&, const EchoRequest&) = default;
};

struct EchoReply {
  uint64_t id = 0;
  uint64_t sent = 0;
  uint64_t answered = 0;
  int64_t round_trip_ns = 0;  // the shortest
  bool done = false;
  std::string error;  // why nothing was sent
  friend bool operator==(const EchoReply&, const EchoReply&) = default;
};

struct Fact {
  std::string name;
  std::string value;
  friend bool operator==(const Fact&, const Fact&) = default;
};

struct Facts {
  std::vector<Fact> facts;
  friend bool operator==(const Facts&, const Facts&) = default;
};

// In order of their numbers in the format, from 1.
using Frame = std::variant<Hello, HelloReply, Beat, BeatReply, CheckResult, NodeEvent, ProbeRequest,
                           ProbeReply, Drain, Goodbye, Pace, Peers, EchoRequest, EchoReply, Facts>;
std::string_view frame_name(const Frame& frame);  // "probe_request"

// Appends a frame with its length. Texts longer than the format allows are cut.
void append_frame(const Frame& frame, std::string& message);

struct Message {
  std::vector<Frame> frames;
  size_t unknown = 0;  // frames of kinds that this version does not know
};

// kInvalidArgument, with what is wrong, for anything malformed or over a bound.
Result<Message> decode_message(std::string_view bytes);

}  // namespace binnacle::link
