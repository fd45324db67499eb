// The watchers of a changing set of engines. start(), stop() and set_engines() by the owner's
// thread, never an I/O thread: an engine that leaves the set is waited for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "watch/health/engines/engine_watcher.h"

namespace binnacle::watch::health {

class EngineWatchers {
 public:
  EngineWatchers(EngineWatcherOptions options, EngineWatcherTools tools)
      : options_(std::move(options)), tools_(std::move(tools)) {}

  // From now on these. One that is the same process at the same address goes on.
  void set_engines(const std::vector<collect::engines::LocalEngine>& engines);
  void stop() { watchers_.clear(); }

 private:
  const EngineWatcherOptions options_;
  const EngineWatcherTools tools_;
  std::map<std::string, std::unique_ptr<EngineWatcher>> watchers_;  // by url
};

}  // namespace binnacle::watch::health
