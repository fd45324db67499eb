// A cluster on simulated time: nodes that beat over TCP, peers that probe and echo, a server with a
// Detector, and a network that loses and delays. Nodes pause, crash and are cut off, the server
// pauses, is cut off and its clock jumps. Everything follows from the seed. One thread.
//
// TCP is a stream in order: a lost segment holds up those behind it until a retransmission gets
// through, after 200 ms, doubled each time. It is the kernel's, so a paused process changes nothing
// about it; datagrams for a paused process wait and are answered when it goes on.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "watch/heartbeat/detector.h"
#include "watch/heartbeat/testing/timeline.h"

namespace binnacle::watch::heartbeat {

struct SimOptions {
  uint64_t seed = 1;
  uint32_t nodes = 100;
  double loss = 0.05;        // of packets, each way
  int64_t delay_ms = 1;      // each way, with some jitter
  double slow_share = 0.01;  // of packets that take up to `slow_ms` longer
  int64_t slow_ms = 30;
  double stalls_per_hour = 60;  // of each node
  int64_t stall_ms = 2'000;
  // Of the whole cluster.
  double crashes_per_hour = 0;        // connections are reset, the machine answers
  double cuts_per_hour = 0;           // the machine is silent, for good
  double short_cuts_per_hour = 0;     // silent for up to 1.2 s
  double half_cuts_per_hour = 0;      // only the server does not hear it, up to 20 s
  double server_pauses_per_hour = 0;  // up to 5 s
  double server_cuts_per_hour = 0;    // nobody hears it, up to 5 s
  double clock_jumps_per_hour = 0;    // of the server, up to an hour each way
  uint32_t unprobed = 0;              // nodes without a port for probes, which echoes reach
  uint32_t behind_nat = 0;            // nodes that cannot be probed nor echoed
  DetectorOptions detector;
};

struct SimReport {
  uint64_t false_downs = 0;
  uint64_t wrong_changes = 0;     // that the states do not allow
  uint64_t missed = 0;            // deaths that were not found in time
  std::vector<int64_t> crash_ms;  // until found
  std::vector<int64_t> cut_ms;
  DetectorCounts counts;
  uint64_t beats = 0;
  uint64_t flapping = 0;
  std::vector<std::string> notes;  // of the first things that went wrong
};

class ClusterSimulator {
 public:
  explicit ClusterSimulator(const SimOptions& options);
  const SimReport& run(int64_t ms);
  const Detector& detector() const { return detector_; }

 private:
  struct Channel {  // one direction of a connection
    bool blocked = false;
    int64_t rto_ms = 0;
    int64_t last_arrival_ms = 0;
    std::deque<SimEvent> waiting;
  };
  struct Node {
    bool alive = true;
    bool cut = false;        // the machine
    bool half_cut = false;   // from the server alone
    bool connected = false;  // as the server sees it
    bool nat = false;
    int64_t paused_until_ms = 0;
    int64_t calm_until_ms = 0;  // no further fault before
    int64_t fit_since_ms = 0;   // alive and reachable
    int64_t died_ms = 0;        // 0: lives
    bool crashed = false;
    uint64_t epoch = 0;  // of its connection
    uint64_t number = 0;
    int64_t heard_ms = 0;
    std::vector<SimEvent> held;  // for a paused process
    Channel up, down;
  };
  struct EchoTask {
    int64_t interval_ms = 0;
    NodeRef via = 0;
    NodeRef target = 0;
    int64_t end_ms = 0;
    uint64_t sent = 0;
    uint64_t answered = 0;
  };

  void handle(const SimEvent& event);
  void at_node(Node& node, const SimEvent& event);
  void at_server(const SimEvent& event);
  void fault(const SimEvent& event);
  void step(const DetectorEvent& event);
  void act(const DetectorAction& action);
  void judge(const action::Changed& changed);
  void note(const std::string& text);

  int64_t now() const { return timeline_.now_ms(); }
  void later(int64_t ms, const SimEvent& event) { timeline_.at(now() + ms, event); }
  bool chance(double share) { return random_.unit() < share; }
  int64_t between(int64_t low, int64_t high);
  int64_t wait_for(double per_hour);  // milliseconds to the next of a Poisson process
  int64_t travel_ms();
  bool reaches(NodeRef from, NodeRef to);  // one packet, now
  void send(NodeRef node, bool up, const SimEvent& frame);
  void retransmit(NodeRef node, bool up);
  void beat(NodeRef ref);
  void probe(const SimEvent& request);
  void echo(const SimEvent& event);
  void tell(NodeRef via, const SimEvent& report);
  void report_echo(uint64_t id, const EchoTask& task, bool done);
  void die(NodeRef ref, bool crashed);
  void connect(NodeRef ref);
  void pause(NodeRef ref);
  void resume(NodeRef ref);
  NodeRef pick();
  bool calm(const Node& node) const;

  const SimOptions options_;
  SeededRandom random_;
  Timeline timeline_;
  Detector detector_;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, EchoTask> echoes_;
  int64_t server_paused_until_ms_ = 0;
  bool server_cut_ = false;
  int64_t server_calm_until_ms_ = 0;
  int64_t wall_offset_ms_ = 1'700'000'000'000;
  std::vector<SimEvent> server_held_;
  SimReport report_;
};

}  // namespace binnacle::watch::heartbeat
