// The failure detector: which nodes live, by what their connections, probes and echoes tell. A pure
// state machine over all nodes, step(now, event) -> actions; the driver (heartbeat.h) does the I/O.
// One thread at a time.
//
//   unknown -> up            connected
//   up -> suspect            connection closed (at once) or silent (phi over the threshold)
//   suspect -> up            a beat or a new connection
//   suspect -> down          its port refuses connections; or echoes stay unanswered for so long,
//                            by enough who sent what they should; or limits that lie further out
//   down -> up               back, with `rise` beats and for the re-admission time
//   any -> left              said goodbye
//   up <-> draining          as the operator says; a new connection ends it
//
// What always holds: silence alone never makes a node down; any beat or answer is life; a pause of
// this process or a jump of its clock starts every open suspicion over.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "watch/heartbeat/detector_options.h"
#include "watch/heartbeat/detector_types.h"
#include "watch/heartbeat/phi.h"
#include "watch/heartbeat/readmission.h"
#include "watch/heartbeat/suspicion.h"

namespace binnacle::watch::heartbeat {

class Detector {
 public:
  explicit Detector(const DetectorOptions& options);

  // `now_ms` never goes back. The answer is good until the next step. Ticks are wanted every
  // kTickMs; nothing else makes time pass.
  static constexpr int64_t kTickMs = 50;
  const std::vector<DetectorAction>& step(int64_t now_ms, const DetectorEvent& event);

  model::NodeState state(NodeRef ref) const;  // kUnknown: never seen
  double phi(NodeRef ref, int64_t now_ms) const;
  const DetectorCounts& counts() const { return counts_; }

 private:
  struct Entry {
    explicit Entry(const DetectorOptions& options)
        : intervals(options.phi.window, options.beat_interval_ms) {}
    model::NodeState state = model::NodeState::kUnknown;
    bool connected = false;
    bool draining = false;
    bool can_be_probed = false;
    bool can_be_echoed = false;
    bool has_answered = false;  // an echo, on this connection
    uint32_t suspicious_looks = 0;
    uint32_t beats_since_return = 0;
    uint32_t echoes_sent_for_others = 0;  // requests under way
    uint64_t last_number = 0;
    int64_t last_beat_ms = 0;    // or the connection
    int64_t no_interval_ms = 0;  // intervals that began before say nothing
    int64_t returned_ms = 0;     // of a node that is down; 0: it is away
    BeatIntervals intervals;
    Readmission readmission;
    FlapCount flaps;
    std::unique_ptr<Suspicion> suspicion;
  };

  void on(const event::Connected& event);
  void on(const event::Beat& event);
  void on(const event::Ended& event);
  void on(const event::ProbeReply& event);
  void on(const event::EchoReport& event);
  void on(const event::Drain& event);
  void on(const event::Forget& event);
  void on(const event::Tick& event);

  Entry& entry(NodeRef ref);
  Entry* known(uint64_t id);  // of a probe or an echo
  int64_t silence_ms(const Entry& entry) const;
  void expect_beat(NodeRef ref, Entry& entry);
  void look(NodeRef ref, Entry& entry);
  void look_at_return(NodeRef ref, Entry& entry);
  void alive(NodeRef ref, Entry& entry, Cause cause);
  void change(NodeRef ref, Entry& entry, model::NodeState to, Evidence evidence);
  Evidence evidence(const Entry& entry, Cause cause) const;
  void doubt(const event::Tick& event);

  // detector_suspicion.cc
  void suspect(NodeRef ref, Entry& entry, bool closed);
  void want(const Entry& entry, Suspicion& suspicion);
  void pursue(NodeRef ref, Entry& entry);
  bool pursue_probes(NodeRef ref, Entry& entry);
  bool pursue_echoes(NodeRef ref, Entry& entry);
  bool limits_passed(NodeRef ref, Entry& entry);
  void begin_probes(NodeRef ref, Suspicion& suspicion);
  void begin_echoes(NodeRef ref, Suspicion& suspicion);
  void replace_idle(NodeRef ref, Suspicion& suspicion);
  bool ask_peer_for_echoes(NodeRef ref, EchoRound& round, int64_t duration_ms);
  void end_echoes(Suspicion& suspicion);
  void end_suspicion(Entry& entry);
  bool fit_to_confirm(const Entry& entry) const;
  bool others_known(NodeRef ref) const;
  // The next fit peer from `start` on that `taken` has not; kServer: none.
  template <typename Taken>
  NodeRef next_peer(NodeRef suspect, const Taken& taken);
  void down(NodeRef ref, Entry& entry, Evidence evidence);
  uint64_t new_id(NodeRef ref) { return (++last_id_ << 32) | ref; }

  // Fixed after construction.
  const DetectorOptions options_;
  const double deviations_;  // that make the threshold of phi
  const int64_t longest_silence_ms_;

  std::vector<std::unique_ptr<Entry>> entries_;  // by ref; null: not known
  std::vector<int64_t> due_ms_;  // by ref: when to look at it, apart for quick scans
  uint64_t last_id_ = 0;
  NodeRef peer_cursor_ = 0;
  int64_t last_tick_ms_ = 0;  // 0: none yet
  int64_t last_wall_ms_ = 0;
  DetectorCounts counts_;

  // Of the step under way.
  int64_t now_ms_ = 0;
  std::vector<DetectorAction> actions_;
};

}  // namespace binnacle::watch::heartbeat
