#include "collect/discovery/discovery_manager.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::collect::discovery {

struct DiscoveryManager::Provider {
  Provider(SourceConfig source_config, MechanismInstruments& shared, const Clock& clock)
      : config(std::move(source_config)), instruments(shared), health(clock, shared) {}

  // Fixed after construction
  const SourceConfig config;
  MechanismInstruments& instruments;
  SourceHealth health;                          // has its own lock
  std::unique_ptr<model::TargetSource> source;  // of apply() and stop()

  // Under the manager's mu_
  std::map<std::string, model::TargetGroup> groups;  // by the group's source
  size_t targets = 0;
};

DiscoveryManager::DiscoveryManager(SourceFactory factory, Update update, const Clock& clock,
                                   Registry& registry, int64_t settle_ms)
    : factory_(std::move(factory)),
      update_(std::move(update)),
      clock_(clock),
      registry_(registry),
      settle_ms_(settle_ms) {}

DiscoveryManager::~DiscoveryManager() { stop(); }

void DiscoveryManager::start() {
  CHECK(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void DiscoveryManager::stop() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  apply({});
}

MechanismInstruments& DiscoveryManager::instruments(const std::string& mechanism) {
  auto& made = instruments_[mechanism];
  if (made == nullptr) made = std::make_unique<MechanismInstruments>(registry_, mechanism);
  return *made;
}

std::shared_ptr<DiscoveryManager::Provider> DiscoveryManager::make_provider(
    const SourceConfig& config) {
  auto provider = std::make_shared<Provider>(config, instruments(config.mechanism), clock_);
  provider->source = factory_(provider->config, provider->health);
  CHECK(provider->source != nullptr);
  return provider;
}

void DiscoveryManager::apply(const std::vector<DiscoveryJob>& jobs) {
  const MutexLock apply_lock(applying_);
  Providers old;
  {
    const MutexLock lock(mu_);
    old = providers_;
  }
  Providers now;
  std::map<std::string, JobState> states;
  std::vector<std::shared_ptr<Provider>> fresh;
  for (const DiscoveryJob& job : jobs) {
    JobState& state = states[job.name];
    for (const SourceConfig& source : job.sources) {
      auto& provider = now[source.key];
      if (provider == nullptr) {
        const auto kept = old.find(source.key);
        provider = kept != old.end() ? kept->second : make_provider(source);
        if (kept == old.end()) fresh.push_back(provider);
      }
      state.keys.push_back(source.key);
    }
  }
  {
    const MutexLock lock(mu_);
    for (auto& [name, state] : states) {
      const auto before = jobs_.find(name);
      if (before != jobs_.end() && before->second.keys == state.keys) state = before->second;
    }
    jobs_ = std::move(states);
    providers_ = now;
    changed_.notify_all();
  }
  // Without the lock: a source may call back while it starts, and waits while it stops.
  for (const auto& [key, provider] : old) {
    if (now.contains(key)) continue;
    provider->source->stop();
    provider->instruments.targets.add(-static_cast<double>(provider->targets));
  }
  for (const auto& provider : fresh) {
    Provider& to = *provider;
    provider->source->start(
        [this, &to](std::vector<model::TargetGroup> groups) { take(to, std::move(groups)); });
  }
}

void DiscoveryManager::take(Provider& provider, std::vector<model::TargetGroup> groups) {
  const MutexLock lock(mu_);
  const size_t before = provider.targets;
  for (model::TargetGroup& group : groups) {
    auto& known = provider.groups[group.source];
    provider.targets += group.targets.size();
    provider.targets -= known.targets.size();
    if (group.targets.empty()) {
      provider.groups.erase(group.source);
    } else {
      known = std::move(group);
    }
  }
  provider.instruments.targets.add(static_cast<double>(provider.targets) -
                                   static_cast<double>(before));
  for (auto& [name, job] : jobs_) {
    if (std::ranges::find(job.keys, provider.config.key) != job.keys.end()) job.dirty = true;
  }
  changed_.notify_all();
}

std::vector<model::TargetGroup> DiscoveryManager::groups_of(const JobState& job) const {
  std::vector<model::TargetGroup> groups;
  for (const std::string& key : job.keys) {
    for (const auto& [source, group] : providers_.at(key)->groups) groups.push_back(group);
  }
  return groups;
}

std::optional<int64_t> DiscoveryManager::deliver_due() {
  std::vector<std::pair<std::string, std::vector<model::TargetGroup>>> due;
  std::optional<int64_t> next_ms;
  {
    const MutexLock lock(mu_);
    const int64_t now_ms = clock_.monotonic_ms();
    for (auto& [name, job] : jobs_) {
      if (!job.dirty) continue;
      const int64_t wait_ms = job.delivered_ms ? *job.delivered_ms + settle_ms_ - now_ms : 0;
      if (wait_ms > 0) {
        next_ms = std::min(next_ms.value_or(wait_ms), wait_ms);
        continue;
      }
      job.dirty = false;
      due.emplace_back(name, groups_of(job));
      // That nothing is known yet settles nothing: the first targets go on at once.
      if (!due.back().second.empty()) job.delivered_ms = now_ms;
    }
  }
  for (auto& [name, groups] : due) update_(name, std::move(groups));
  return next_ms;
}

void DiscoveryManager::run() {
  constexpr int64_t kLongMs = 60'000;
  while (true) {
    const int64_t wait_ms = deliver_due().value_or(kLongMs);
    const MutexLock lock(mu_);
    if (stopping_) return;
    const bool ready = std::ranges::any_of(
        jobs_, [](const auto& entry) { return entry.second.dirty && !entry.second.delivered_ms; });
    if (!ready) changed_.wait_for_ms(mu_, wait_ms);
    if (stopping_) return;
  }
}

std::vector<SourceView> DiscoveryManager::sources() const {
  std::vector<SourceView> views;
  const MutexLock lock(mu_);
  for (const auto& [name, job] : jobs_) {
    for (const std::string& key : job.keys) {
      const Provider& provider = *providers_.at(key);
      auto state = provider.health.state();
      views.push_back({name, provider.config.mechanism, provider.targets,
                       std::move(state.last_error), state.last_success_ms});
    }
  }
  return views;
}

}  // namespace binnacle::collect::discovery
