// Who wants to know what the link hears: the failure detector, checks, events. Called on I/O
// threads, so it must not block; for one node one call at a time and in order, for several at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "link/clock_exchange.h"
#include "link/frame.h"
#include "model/node.h"

namespace binnacle::link {

struct BeatTimes {
  uint64_t number = 0;
  int64_t came_ms = 0;                 // monotonic, of the server
  std::optional<ClockReading> clocks;  // of the exchange before; not with the first beat
};

class LinkObserver {
 public:
  virtual ~LinkObserver() = default;
  virtual void connected(const model::Node& /*node*/) {}
  virtual void beat(const model::NodeId& /*node*/, const BeatTimes& /*times*/) {}
  virtual void check_result(const model::Node& /*node*/, const CheckResult& /*result*/) {}
  virtual void event(const model::Node& /*node*/, const NodeEvent& /*event*/) {}
  // Every probe that was asked for is answered once, by the agent or for it; not when it
  // disconnects meanwhile.
  virtual void probe_reply(const model::Node& /*via*/, const ProbeReply& /*reply*/) {}
  // `node.state` is kLeft after a goodbye, else kDown. Not called for a connection whose node has
  // connected anew before it ended.
  virtual void disconnected(const model::Node& /*node*/, std::string_view /*reason*/) {}
};

}  // namespace binnacle::link
