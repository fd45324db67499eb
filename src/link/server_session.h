// One agent's session as the server sees it: pure, so that every order of frames and times can be
// tested. Whoever drives it does the I/O and asks the node table. step() takes what happened at a
// monotonic time and answers what to do, in order. After a Close nothing more is to be done.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "link/clock_exchange.h"
#include "link/frame.h"
#include "link/link_observer.h"

namespace binnacle::link {

struct SessionOptions {
  int64_t beat_interval_ms = 250;
  int64_t silence_limit_ms = 10'000;
  int64_t hello_limit_ms = 5'000;
  double frames_per_second = 50;  // but beats, after a burst of
  double frame_burst = 200;
  size_t max_probes = 64;
  int64_t longest_probe_ms = 10'000;
  size_t max_echoes = 64;
  int64_t longest_echo_ms = 30'000;
  int64_t echo_answer_ms = 1'000;    // the last word on an echo may come so long after its end
  int64_t look_interval_ms = 1'000;  // how often a node that is looked at collects
  int64_t look_hold_ms = 30'000;     // how long one look lasts
};

namespace session_event {
struct Received {
  Frame frame;
  int64_t came_ns = 0;  // Unix time at which this machine had it; 0: now
};
// The node table's word on the hello.
struct Admitted {
  HelloReply reply;
};
struct Refused {
  HelloReply reply;
};
struct Tick {};
struct Probe {  // asks the agent to probe a peer
  uint64_t id;
  std::string address;
  int64_t timeout_ms;
};
struct Echo {  // has the agent send echoes to a peer; duration 0: stop those of this id
  uint64_t id = 0;
  std::string address = {};
  int64_t interval_ms = 0;
  int64_t duration_ms = 0;
};
struct Look {};  // somebody looks at the node
struct SendDrain {
  std::string reason;
};
struct SendPeers {
  Peers peers;
};
}  // namespace session_event

using SessionEvent =
    std::variant<session_event::Received, session_event::Admitted, session_event::Refused,
                 session_event::Tick, session_event::Probe, session_event::Echo,
                 session_event::Look, session_event::SendDrain, session_event::SendPeers>;

namespace session_action {
struct Send {
  Frame frame;
};
struct Admit {  // ask the node table, answer with Admitted or Refused
  Hello hello;
};
struct Beaten {  // a beat came; with a whole exchange of clocks or none yet
  Beat beat;
  std::optional<ClockReading> clocks;
};
struct Deliver {  // a CheckResult, NodeEvent, ProbeReply, EchoReply or Facts
  Frame frame;
};
struct Drop {       // a frame was not taken
  std::string why;  // "rate", "direction", "probe", "echo", "replay"
};
struct Close {
  uint16_t code;  // of RFC 6455
  std::string reason;
  LinkEnd how = LinkEnd::kClosed;  // kClosed: the hello was refused
};
}  // namespace session_action

using SessionAction =
    std::variant<session_action::Send, session_action::Admit, session_action::Beaten,
                 session_action::Deliver, session_action::Drop, session_action::Close>;
using SessionActions = std::vector<SessionAction>;

class ServerSession {
 public:
  ServerSession(const SessionOptions& options, int64_t now_ms);

  // `wall_ns` is when it happened by the server's own clock.
  SessionActions step(int64_t now_ms, int64_t wall_ns, SessionEvent event);

  // Each `nth` beat is answered from now on.
  void answer_each(uint64_t nth) { answer_each_ = nth; }

  // When a tick has something to do; what comes in may bring it nearer.
  int64_t next_due_ms() const;
  bool up() const { return state_ == State::kUp; }
  int64_t heard_ms() const { return heard_ms_; }  // monotonic, of the last frame

 private:
  enum class State : uint8_t { kAwaitsHello, kAwaitsWord, kUp, kClosed };

  struct Answered {  // the reply whose arrival a beat has still to tell
    uint64_t number = 0;
    int64_t asked_ns = 0, received_ns = 0, replied_ns = 0;
  };

  void on(session_event::Received& event);
  void on(session_event::Admitted& event);
  void on(session_event::Refused& event);
  void on(session_event::Tick& event);
  void on(session_event::Probe& event);
  void on(session_event::Echo& event);
  void on(session_event::Look& event);
  void on(session_event::SendDrain& event);
  void on(session_event::SendPeers& event);
  void beat(const Beat& beat, int64_t came_ns);
  void probe_reply(ProbeReply reply);
  void echo_reply(EchoReply reply);
  void give_up_what_is_due();
  void deliver(Frame frame);
  bool within_rate();
  void send(Frame frame);
  void close(uint16_t code, std::string reason, LinkEnd how);

  const SessionOptions options_;
  State state_ = State::kAwaitsHello;
  const int64_t began_ms_;
  int64_t heard_ms_;
  uint64_t newest_beat_ = 0;
  uint64_t answer_each_ = 1;
  Answered answered_;
  double tokens_;
  int64_t tokens_ms_;
  std::map<uint64_t, int64_t> probes_;  // id -> deadline
  std::map<uint64_t, int64_t> echoes_;
  int64_t look_until_ms_ = 0;  // 0: nobody looks

  // Of the step under way.
  int64_t now_ms_ = 0;
  int64_t wall_ns_ = 0;
  SessionActions actions_;
};

// What is wrong with a hello by itself, and what to do; kNone when nothing is.
struct HelloProblem {
  Refusal refusal = Refusal::kNone;
  std::string reason;
};
HelloProblem check_hello(const Hello& hello);

}  // namespace binnacle::link
