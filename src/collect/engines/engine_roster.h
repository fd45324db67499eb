// The engines of this machine over time. A search finds those that answer; one that was found stays
// while its process lives, as an engine that hangs answers nobody, and for a while after its
// process has gone, so that its end is told and not forgotten. Pure; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "collect/engines/local_engines.h"
#include "model/local_process.h"

namespace binnacle::collect::engines {

class EngineRoster {
 public:
  explicit EngineRoster(int64_t keep_gone_ms) : keep_gone_ms_(keep_gone_ms) {}

  // `listening`: what the search began with. Answers the engines that are to be watched now, by
  // url; what was found anew replaces what stood under that url.
  const std::vector<LocalEngine>& update(int64_t now_ms, std::vector<LocalEngine> found,
                                         const std::vector<model::LocalProcess>& listening);

 private:
  const int64_t keep_gone_ms_;
  std::vector<LocalEngine> engines_;
  std::vector<int64_t> seen_ms_;  // of each: when it was last found or its process lived
};

}  // namespace binnacle::collect::engines
