// One connection as the agent sees it: pure, see ServerSession. step() takes what happened at a
// monotonic time and answers what to do, in order; next_due_ms() says when a Tick is wanted at the
// latest.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "link/frame.h"

namespace binnacle::link {

namespace client_event {
struct Connected {
  Hello hello;
  Facts facts = {};  // told once the hello is accepted; none: not told
};
struct Received {
  Frame frame;
};
struct Tick {
  int64_t loop_lag_us = 0;  // how late it is
  std::optional<LoadDigest> load = {};
};
struct ProbeDone {
  ProbeReply reply;
};
struct EchoProgress {  // of an echo that an action asked for
  EchoReply reply;
};
struct FactsChanged {
  Facts facts;
};
struct Leave {  // a clean stop
  std::string reason;
};
}  // namespace client_event

using ClientEvent =
    std::variant<client_event::Connected, client_event::Received, client_event::Tick,
                 client_event::ProbeDone, client_event::EchoProgress, client_event::FactsChanged,
                 client_event::Leave>;

namespace client_action {
struct Send {
  Frame frame;
};
struct Accepted {
  HelloReply reply;
};
struct Refused {
  HelloReply reply;
};
struct Probe {
  ProbeRequest request;
};
struct Echo {  // duration 0: stop the one of this id
  EchoRequest request;
};
struct Tell {  // Pace, Peers or Drain, for whoever runs the agent
  Frame frame;
};
struct Drop {
  std::string why;
};
struct Close {
  uint16_t code;
  std::string reason;
};
}  // namespace client_action

using ClientAction = std::variant<client_action::Send, client_action::Accepted,
                                  client_action::Refused, client_action::Probe, client_action::Echo,
                                  client_action::Tell, client_action::Drop, client_action::Close>;
using ClientActions = std::vector<ClientAction>;

struct ClientSessionOptions {
  int64_t hello_limit_ms = 10'000;  // for the answer to ours
  size_t max_probes = 64;           // at a time
  int64_t longest_probe_ms = 10'000;
  size_t max_echoes = 64;  // at a time
  int64_t shortest_echo_interval_ms = 20;
  int64_t longest_echo_interval_ms = 1'000;
  int64_t longest_echo_ms = 30'000;
};

class ClientSession {
 public:
  explicit ClientSession(const ClientSessionOptions& options) : options_(options) {}

  // `wall_ns` is when it happened by this machine's clock.
  ClientActions step(int64_t now_ms, int64_t wall_ns, ClientEvent event);

  bool up() const { return state_ == State::kUp; }
  int64_t next_due_ms() const;

 private:
  enum class State : uint8_t { kNew, kAwaitsReply, kUp, kClosed };

  void on(client_event::Connected& event);
  void on(client_event::Received& event);
  void on(client_event::Tick& event);
  void on(client_event::ProbeDone& event);
  void on(client_event::EchoProgress& event);
  void on(client_event::FactsChanged& event);
  void on(client_event::Leave& event);
  void hello_reply(HelloReply reply);
  void beat_reply(const BeatReply& reply);
  void probe(ProbeRequest request);
  void echo(EchoRequest request);
  void close(uint16_t code, std::string reason);

  const ClientSessionOptions options_;
  State state_ = State::kNew;
  int64_t heard_ms_ = 0;
  int64_t silence_limit_ms_ = 0;
  int64_t interval_ms_ = 0;
  int64_t next_beat_ms_ = 0;
  uint64_t number_ = 0;  // of the newest beat
  uint64_t answered_number_ = 0;
  int64_t answered_ns_ = 0;
  size_t probes_ = 0;  // under way
  std::set<uint64_t> echoes_;
  Facts facts_;
  int64_t worst_lag_us_ = 0;  // since the beat before

  // Of the step under way.
  int64_t now_ms_ = 0;
  int64_t wall_ns_ = 0;
  ClientActions actions_;
};

}  // namespace binnacle::link
