// Who is up: hears the link, feeds the failure detector, asks peers for it, keeps what is thought
// of each node and publishes what changes (node.suspect, node.down, node.up, node.left,
// node.draining, node.flapping, node.missing, node.drift; docs/failure-detection.md). Made and
// wired before the first connection; outlives the I/O threads. Any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "link/link_observer.h"
#include "link/node_table.h"
#include "model/event_queue.h"
#include "model/node.h"
#include "watch/heartbeat/confirmers.h"
#include "watch/heartbeat/detector.h"
#include "watch/heartbeat/drift.h"
#include "watch/heartbeat/expected_nodes.h"
#include "watch/heartbeat/heartbeat_metrics.h"

namespace binnacle::watch::heartbeat {

struct HeartbeatOptions {
  DetectorOptions detector;
  size_t max_nodes = 10'000;  // the longest gone makes room
  std::vector<ExpectedNode> expected;
  int64_t join_grace_ms = 300'000;
};

struct HeartbeatDeps {
  const link::NodeTable& table;
  Confirmers& confirmers;
  model::EventBus& events;
  ThreadPool& pool;
  const Clock& clock;
  Registry& registry;
  // Milliseconds that the loops which hear beats are late by; may be empty.
  std::function<int64_t()> io_lag_ms = {};
};

// A node and all that is known about it.
struct NodeStatus {
  model::Node node;    // without an id: expected, never seen
  std::string reason;  // why it is in this state, one sentence
  double phi = 0;
  bool overdue = false;   // expected, and the grace of joining is over
  bool expected = false;  // somebody configured it
  std::vector<std::string> layers;
  std::vector<Drift> drift;
  double agent_lag_seconds = 0;  // of its own loop, with the newest beat
};

class Heartbeat final : public link::LinkObserver, public model::NodeView {
 public:
  // All of `deps` outlive it.
  Heartbeat(HeartbeatOptions options, HeartbeatDeps deps);
  ~Heartbeat() override;  // stop()

  // A thread that ticks. After stop() nothing is judged any more: a server that stops closes the
  // connections of nodes that live.
  void start() EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);
  void tick() EXCLUDES(mu_);  // for tests, instead

  std::vector<NodeStatus> statuses() const EXCLUDES(mu_);         // by name
  std::vector<model::Node> nodes() const override EXCLUDES(mu_);  // by name, expected ones too
  std::optional<model::Node> node(const model::NodeId& id) const override EXCLUDES(mu_);

  void connected(const model::Node& node) override EXCLUDES(mu_);
  void beat(const model::NodeId& node, const link::BeatTimes& times) override EXCLUDES(mu_);
  void drained(const model::Node& node) override EXCLUDES(mu_);
  void probe_reply(const model::Node& via, const link::ProbeReply& reply) override EXCLUDES(mu_);
  void echo_reply(const model::Node& via, const link::EchoReply& reply) override EXCLUDES(mu_);
  void facts(const model::Node& node, const link::Facts& facts) override EXCLUDES(mu_);
  void disconnected(const model::Node& node, link::LinkEnd how, std::string_view reason) override
      EXCLUDES(mu_);

 private:
  struct Known {
    model::Node node;
    std::string probe_address;
    std::string echo_address;
    std::string reason;
    uint32_t loop_lag_us = 0;
    NodeFacts facts;
    std::vector<Drift> drift;
  };
  struct Question {   // that somebody was asked
    uint64_t id = 0;  // the detector's
    NodeRef via = kServer;
    int64_t asked_ms = 0;
  };

  void step(const DetectorEvent& event) REQUIRES(mu_);
  void act(const action::Probe& action) REQUIRES(mu_);
  void act(const action::Echo& action) REQUIRES(mu_);
  void act(const action::StopEcho& action) REQUIRES(mu_);
  void act(const action::Changed& action) REQUIRES(mu_);
  void act(const action::Flapping& action) REQUIRES(mu_);
  void act(const action::Doubted& action) REQUIRES(mu_);
  void answered_here(const DetectorEvent& event) EXCLUDES(mu_);
  std::optional<NodeRef> ref_of(const model::NodeId& node, const link::BeatTimes& times)
      REQUIRES(mu_);
  NodeRef ref_of(const model::Node& node) REQUIRES(mu_);  // made when new
  NodeRef free_ref() REQUIRES(mu_);
  void forget(NodeRef ref) REQUIRES(mu_);
  std::string name_of(NodeRef ref) const REQUIRES(mu_);
  void publish(std::string kind, const Known& known, const Evidence* evidence, std::string reason)
      REQUIRES(mu_);
  void look_at_missing() REQUIRES(mu_);
  void look_at_drift() REQUIRES(mu_);
  void drop_old_questions() REQUIRES(mu_);
  NodeStatus status(NodeRef ref, int64_t now_ms) const REQUIRES(mu_);
  NodeStatus status(const ExpectedNode& missing) const REQUIRES(mu_);
  void run() EXCLUDES(thread_mu_);

  // Fixed after construction.
  const HeartbeatOptions options_;
  const HeartbeatDeps deps_;
  const Log log_{"heartbeat"};

  mutable Mutex mu_;
  HeartbeatMetrics metrics_ GUARDED_BY(mu_);
  model::EventQueue events_;  // has a lock of its own
  Detector detector_ GUARDED_BY(mu_);
  ExpectedNodes expected_ GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Known>> nodes_ GUARDED_BY(mu_);  // by ref
  std::vector<NodeRef> free_refs_ GUARDED_BY(mu_);
  std::unordered_map<std::string, NodeRef> by_id_ GUARDED_BY(mu_);
  struct Seat {
    uint64_t session = 0;
    NodeRef ref = kServer;
  };
  std::vector<Seat> seats_ GUARDED_BY(mu_);  // by the link's place, of nodes that beat
  std::map<std::string, NodeRef> by_name_ GUARDED_BY(mu_);
  std::unordered_map<uint64_t, Question> probes_ GUARDED_BY(mu_);        // by the link's id
  std::unordered_map<uint64_t, Question> echoes_ GUARDED_BY(mu_);        // by the link's id
  std::unordered_map<uint64_t, uint64_t> asked_echoes_ GUARDED_BY(mu_);  // detector's id -> asked
  std::vector<DetectorEvent> at_once_ GUARDED_BY(mu_);  // what a question that failed brings
  bool drift_due_ GUARDED_BY(mu_) = false;
  int64_t drift_looked_ms_ GUARDED_BY(mu_) = 0;
  bool missing_told_ GUARDED_BY(mu_) = false;
  int64_t questions_swept_ms_ GUARDED_BY(mu_) = 0;
  int64_t ticked_ms_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;

  std::thread thread_;  // of the owner
  Mutex thread_mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(thread_mu_) = false;
};

}  // namespace binnacle::watch::heartbeat
