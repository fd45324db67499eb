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
  uint64_t number = 0;                 // grows within a connection: replays are dropped
  int64_t came_ms = 0;                 // monotonic, of the server
  std::optional<ClockReading> clocks;  // of the exchange before; not with the first beat
  uint32_t loop_lag_us = 0;            // how late the agent's own timer fired
  std::optional<LoadDigest> load = {};
  // The connection, never one again, and a small number of the node while it stands, so that an
  // observer need not look each beat's node up. Session 0: not told.
  uint64_t session = 0;
  size_t place = 0;
};

// How a connection ended.
enum class LinkEnd : uint8_t {
  kGoodbye,    // the agent left on purpose
  kClosed,     // by its end or by the network: the process or the machine is gone, or the way there
  kSilent,     // nothing came for silence_limit_ms
  kMalformed,  // it sent what the format does not allow
  kSlow,       // it did not read what it was sent
};
std::string_view link_end_name(LinkEnd end);  // "goodbye"

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
  // Every echo that was asked for ends with one reply that is `done`, by the agent or for it; not
  // when it disconnects meanwhile. One before it tells the first answer.
  virtual void echo_reply(const model::Node& /*via*/, const EchoReply& /*reply*/) {}
  // All that the node says of itself; after each hello and when something has changed.
  virtual void facts(const model::Node& /*node*/, const Facts& /*facts*/) {}
  // An operator drains the node.
  virtual void drained(const model::Node& /*node*/) {}
  // `node.state` is kLeft after a goodbye, else kDown. Not called for a connection whose node has
  // connected anew before it ended.
  virtual void disconnected(const model::Node& /*node*/, LinkEnd /*how*/,
                            std::string_view /*reason*/) {}
};

}  // namespace binnacle::link
