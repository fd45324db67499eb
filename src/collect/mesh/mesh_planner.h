// Whom an agent measures, when, and what the answers say: pure, driven by a MeshProber. Each round
// goes to the server and to a few peers; which ones follows from a hash of both ids and the hour
// (rendezvous hashing), so that a thousand nodes measure each other in turn, nobody is measured by
// all at once, and a node that comes or goes changes only its own pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "link/frame.h"

namespace binnacle::collect::mesh {

struct MeshOptions {
  size_t peers = 8;               // of one round, beside the server
  int64_t interval_ms = 10'000;   // a round, and a sample for each of them
  size_t probes = 4;              // to each in a round
  int64_t rotate_ms = 3'600'000;  // how long the choice of peers stays
};

struct MeshTarget {
  std::string name;     // label `peer`
  std::string address;  // host:port
  friend bool operator==(const MeshTarget&, const MeshTarget&) = default;
};

// One probe to do now, to be told by outcome().
struct MeshProbe {
  uint64_t id = 0;
  std::string address;
  int64_t timeout_ms = 0;
};

// What a round said of one peer.
struct MeshRow {
  std::string peer;
  double loss_ratio = 1;
  std::optional<double> round_trip_seconds;  // the median; none: all were lost
  std::optional<double> jitter_seconds;      // mean step from one to the next; two at least
};

// Of one round's probes in order of sending; nullopt: lost.
MeshRow summarize(std::string peer, const std::vector<std::optional<int64_t>>& round_trips_ns);

// `count` of `peers`, never `self_id`; the same for the same arguments, in whatever order they
// come.
std::vector<link::Peer> choose_peers(const std::vector<link::Peer>& peers, std::string_view self_id,
                                     int64_t epoch, size_t count);

class MeshPlanner {
 public:
  MeshPlanner(MeshOptions options, std::string self_id, MeshTarget server);

  void set_peers(std::vector<link::Peer> peers) { peers_ = std::move(peers); }

  struct Step {
    std::vector<MeshProbe> probes;
    std::vector<MeshRow> rows;  // of the round that ended
  };
  // `now_ms` monotonic; `wall_ms` says which epoch it is, the same on all nodes.
  Step tick(int64_t now_ms, int64_t wall_ms);
  void outcome(uint64_t probe, std::optional<int64_t> round_trip_ns);  // late ones count as lost
  int64_t next_due_ms() const { return next_due_ms_; }

 private:
  struct Slot {
    MeshTarget target;
    int64_t first_ms = 0;
    std::vector<std::optional<int64_t>> round_trips_ns;  // by probe sent
  };
  void begin_round(int64_t now_ms, int64_t wall_ms);

  // Probes of a round end before it does: there is room for one more.
  int64_t spacing_ms() const {
    return options_.interval_ms / static_cast<int64_t>(options_.probes + 1);
  }

  const MeshOptions options_;
  const std::string self_id_;
  const MeshTarget server_;
  std::vector<link::Peer> peers_;
  std::vector<Slot> slots_;
  uint64_t round_ = 0;
  int64_t round_end_ms_ = 0;
  int64_t next_due_ms_ = 0;
};

}  // namespace binnacle::collect::mesh
