#include "watch/health/engines/engine_watchers.h"

namespace binnacle::watch::health {

void EngineWatchers::set_engines(const std::vector<collect::engines::LocalEngine>& engines) {
  std::map<std::string, std::unique_ptr<EngineWatcher>> next;
  for (const auto& engine : engines) {
    const auto known = watchers_.find(engine.url);
    if (known != watchers_.end() && known->second->engine().engine == engine.engine &&
        known->second->engine().pid == engine.pid) {
      next[engine.url] = std::move(known->second);
      continue;
    }
    auto& watcher = next[engine.url] = std::make_unique<EngineWatcher>(engine, options_, tools_);
    watcher->start();
  }
  for (auto& [url, gone] : watchers_) {
    if (gone != nullptr) gone->stop();
  }
  watchers_ = std::move(next);
}

}  // namespace binnacle::watch::health
