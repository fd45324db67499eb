// What the detector hears and what it answers. A node is a small number that the driver gives it;
// names and addresses stay with the driver.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "model/node.h"

namespace binnacle::watch::heartbeat {

using NodeRef = uint32_t;
inline constexpr NodeRef kServer = UINT32_MAX;  // among those who confirm: the server itself

enum class ProbeOutcome : uint8_t { kReached, kRefused, kNoAnswer };

namespace event {
struct Connected {
  NodeRef node = 0;
  bool can_be_probed = false;  // over TCP
  bool can_be_echoed = false;  // over UDP; such a node sends echoes for others, too
};
struct Beat {
  NodeRef node = 0;
  uint64_t number = 0;  // from 1 in each connection
};
enum class End : uint8_t { kGoodbye, kClosed, kSilent };
struct Ended {
  NodeRef node = 0;
  End how = End::kClosed;
};
struct ProbeReply {
  uint64_t id = 0;
  ProbeOutcome outcome = ProbeOutcome::kNoAnswer;
};
// At the first answer, and at the end.
struct EchoReport {
  uint64_t id = 0;
  uint64_t sent = 0;
  uint64_t answered = 0;
  bool done = false;
};
struct Drain {
  NodeRef node = 0;
};
struct Forget {  // the number is free for another node
  NodeRef node = 0;
};
struct Tick {
  int64_t wall_ms = 0;
  int64_t own_lag_ms = 0;  // of whatever else must turn for beats to be heard
};
}  // namespace event

using DetectorEvent =
    std::variant<event::Beat, event::Tick, event::Connected, event::Ended, event::ProbeReply,
                 event::EchoReport, event::Drain, event::Forget>;

enum class Cause : uint8_t {
  kConnected,
  kBeatsAgain,
  kReadmitted,
  kGoodbye,
  kDrained,
  kSilent,
  kClosed,
  kRefused,
  kNotBack,
  kUnanswered,
  kClosedUnanswered,
  kNoBeats,
  kUnconfirmed,
};
std::string_view cause_name(Cause cause);  // "echoes_unanswered"

// Why a state changed. Numbers that the cause does not need are 0.
struct Evidence {
  Cause cause = Cause::kConnected;
  int64_t silent_ms = 0;   // since the last beat
  int64_t suspect_ms = 0;  // since it was suspected
  double phi = 0;
  uint32_t asked = 0;    // who was asked to confirm
  uint32_t refused = 0;  // their probes
  uint64_t echoes_sent = 0;
  uint64_t echoes_answered = 0;
  std::vector<NodeRef> confirmed_by;  // kServer among them
  int64_t readmission_ms = 0;         // how long it had to be back
};
using NameOf = std::function<std::string(NodeRef)>;
// One sentence for a person.
std::string evidence_text(const Evidence& evidence, const NameOf& name_of);

namespace action {
struct Probe {
  uint64_t id = 0;
  NodeRef via = kServer;
  NodeRef node = 0;
  int64_t timeout_ms = 0;
};
struct Echo {
  uint64_t id = 0;
  NodeRef via = kServer;
  NodeRef node = 0;
  int64_t interval_ms = 0;
  int64_t duration_ms = 0;
};
struct StopEcho {
  uint64_t id = 0;
  NodeRef via = kServer;
};
struct Changed {
  NodeRef node = 0;
  model::NodeState from = model::NodeState::kUnknown;
  model::NodeState to = model::NodeState::kUnknown;
  bool quiet = false;  // the node is flapping: no event of its own
  Evidence evidence;
};
struct Flapping {
  NodeRef node = 0;
  uint32_t changes = 0;
  int64_t window_ms = 0;
};
struct Doubted {  // the server suspects itself
  int64_t lag_ms = 0;
  int64_t jump_ms = 0;
};
}  // namespace action

using DetectorAction = std::variant<action::Probe, action::Echo, action::StopEcho, action::Changed,
                                    action::Flapping, action::Doubted>;

struct DetectorCounts {
  uint64_t suspicions = 0;
  uint64_t false_alarms = 0;  // suspicions that ended in life
  uint64_t downs = 0;
  uint64_t replayed_beats = 0;
  uint64_t doubts = 0;  // of the server about itself
};

}  // namespace binnacle::watch::heartbeat
