#include "collect/engines/engine_roster.h"

#include <algorithm>
#include <numeric>

#include "net/client.h"

namespace binnacle::collect::engines {
namespace {

bool lives(const LocalEngine& engine, const std::vector<model::LocalProcess>& listening) {
  const auto url = net::Url::parse(engine.url);
  return url && std::ranges::any_of(listening, [&](const model::LocalProcess& process) {
           return process.pid == engine.pid &&
                  std::ranges::find(process.ports, url->port) != process.ports.end();
         });
}

}  // namespace

const std::vector<LocalEngine>& EngineRoster::update(
    int64_t now_ms, std::vector<LocalEngine> found,
    const std::vector<model::LocalProcess>& listening) {
  std::vector<int64_t> seen_ms(found.size(), now_ms);
  for (size_t i = 0; i < engines_.size(); ++i) {
    if (std::ranges::find(found, engines_[i].url, &LocalEngine::url) != found.end()) continue;
    const int64_t last_ms = lives(engines_[i], listening) ? now_ms : seen_ms_[i];
    if (now_ms - last_ms > keep_gone_ms_) continue;
    found.push_back(std::move(engines_[i]));
    seen_ms.push_back(last_ms);
  }
  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return found[i].url; });
  engines_.clear();
  seen_ms_.clear();
  for (const size_t i : order) {
    engines_.push_back(std::move(found[i]));
    seen_ms_.push_back(seen_ms[i]);
  }
  return engines_;
}

}  // namespace binnacle::collect::engines
