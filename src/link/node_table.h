// Every node that has said hello since the server started: who it is, whether its connection
// stands, its clock. Up and down follow the connection alone. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "link/clock_exchange.h"
#include "link/frame.h"
#include "model/node.h"

namespace binnacle::link {

struct NodeRecord {
  model::Node node;
  std::string boot_id;
  std::string software;
  std::string probe_address;  // host:port, or "": it cannot be probed
  std::string echo_address;   // host:port of UDP, or "": it neither answers nor asks
  std::vector<std::string> capabilities;
  uint64_t session = 0;  // the connection that stands; 0: none
  int64_t oldest_sample_ms = 0;
  int64_t last_beat_ms = 0;                 // wall; 0: none
  std::optional<ClockReading> clocks;       // the newest
  std::optional<ClockReading> best_clocks;  // shortest round trip since take_readings()
};

// What a hello met.
struct Admission {
  Refusal refusal = Refusal::kNone;
  std::string reason;
  uint64_t replaces = 0;  // a session of the same node that is to be closed; 0: none
  size_t place = 0;       // of the node, for as long as the session stands
  model::Node node;       // as it stands now; when admitted
};

class NodeTable final : public model::NodeView {
 public:
  NodeTable(const Clock& clock, size_t max_nodes) : clock_(clock), max_nodes_(max_nodes) {}

  // `session` > 0 names the connection that brought the hello, from `peer_address`. `lively_ms`: a
  // node heard within it is there, whoever else claims to be it.
  Admission admit(const Hello& hello, uint64_t session, const std::string& peer_address,
                  int64_t lively_ms) EXCLUDES(mu_);
  // Of an older session than the standing one of the node at that place: without effect.
  void beat(size_t place, uint64_t session, std::optional<ClockReading> clocks) EXCLUDES(mu_);
  // The node as it stands then; nullopt when another session has taken over.
  std::optional<model::Node> disconnect(const std::string& node_id, uint64_t session, bool goodbye)
      EXCLUDES(mu_);
  std::optional<model::Node> set_draining(const std::string& node_id) EXCLUDES(mu_);

  std::vector<model::Node> nodes() const override EXCLUDES(mu_);  // by name
  std::optional<model::Node> node(const model::NodeId& id) const override EXCLUDES(mu_);
  std::vector<NodeRecord> records() const EXCLUDES(mu_);  // by name
  std::optional<NodeRecord> record(const model::NodeId& id) const EXCLUDES(mu_);

  // The connection that stands; 0: none.
  uint64_t session_of(const std::string& node_id) const EXCLUDES(mu_);

  bool has_echo(const std::string& node_id) const EXCLUDES(mu_);

  // As records(), and the best readings start over.
  std::vector<NodeRecord> take_readings() EXCLUDES(mu_);
  // Of all nodes that are up and can be probed; changes of `version` tell that it is another list.
  Peers peers() const EXCLUDES(mu_);
  uint64_t peers_version() const EXCLUDES(mu_);

 private:
  struct Entry {
    NodeRecord record;
    int64_t heard_ms = 0;  // monotonic
    size_t place = 0;
  };
  std::optional<Admission> conflict(const Hello& hello, const std::string& peer_address,
                                    int64_t lively_ms) const REQUIRES(mu_);
  Entry& entry(const std::string& node_id) REQUIRES(mu_);  // made when new
  bool make_room() REQUIRES(mu_);
  void set_state(Entry& entry, model::NodeState state) REQUIRES(mu_);
  void erase(const std::string& node_id) REQUIRES(mu_);

  // Fixed after construction.
  const Clock& clock_;
  const size_t max_nodes_;

  mutable Mutex mu_;
  std::unordered_map<std::string, Entry> by_id_ GUARDED_BY(mu_);
  std::vector<Entry*> places_ GUARDED_BY(mu_);  // so that a beat looks no name up; null: free
  std::vector<size_t> free_places_ GUARDED_BY(mu_);
  std::map<std::string, std::string> id_of_name_ GUARDED_BY(mu_);
  uint64_t peers_version_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::link
