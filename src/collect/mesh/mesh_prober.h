// Measures the way to the server and to peers as a MeshPlanner says, by TCP connections on one I/O
// thread, and stores what rounds said: binnacle_mesh_round_trip_seconds, _loss_ratio and
// _jitter_seconds, each with label `peer`. start(), stop() and collect_once() by the owner's
// thread, set_peers() by any. References outlive it; what is under way ends with the I/O threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "collect/mesh/mesh_planner.h"
#include "model/appender.h"
#include "net/io_threads.h"

namespace binnacle::collect::mesh {

class MeshProber {
 public:
  // `labels` (node, role, ...) go onto every series.
  MeshProber(MeshPlanner planner, net::IoThreads& io, const Clock& clock, Registry& registry,
             model::Labels labels);
  ~MeshProber();  // stop()
  MeshProber(const MeshProber&) = delete;
  MeshProber& operator=(const MeshProber&) = delete;

  void start();
  void stop();
  void set_peers(std::vector<link::Peer> peers);

  // Stores the rounds that ended since the last call; answers how many samples were refused.
  Result<size_t> collect_once(model::Appendable& store);

 private:
  class Driver;
  const std::shared_ptr<Driver> driver_;  // with its coroutines
  const model::Labels labels_;
};

}  // namespace binnacle::collect::mesh
