#include "collect/discovery/refresh_source.h"

namespace binnacle::collect::discovery {

bool same_group(const model::TargetGroup& a, const model::TargetGroup& b) {
  return a.source == b.source && a.labels == b.labels && a.targets == b.targets;
}

std::vector<model::TargetGroup> GroupChanges::since_last(std::vector<model::TargetGroup> now) {
  std::vector<model::TargetGroup> changed;
  std::map<std::string, model::TargetGroup> current;
  for (model::TargetGroup& group : now) {
    const auto before = last_.find(group.source);
    if (before == last_.end() || !same_group(before->second, group)) changed.push_back(group);
    current.insert_or_assign(group.source, std::move(group));
  }
  for (const auto& [source, group] : last_) {
    if (!current.contains(source))
      changed.push_back({.source = source, .targets = {}, .labels = {}});
  }
  last_ = std::move(current);
  return changed;
}

RefreshSource::RefreshSource(std::unique_ptr<Refresher> refresher,
                             std::chrono::milliseconds interval, net::IoThreads& io,
                             SourceHealth& health)
    : refresher_(std::move(refresher)), interval_(interval), health_(health), loop_(io) {}

void RefreshSource::start(Update update) {
  update_ = std::move(update);
  loop_.start({[this] { return run(); }});
}

boost::asio::awaitable<void> RefreshSource::run() {
  while (true) {
    auto found = co_await refresher_->refresh();
    if (!found) {
      health_.failed(found.error());
    } else {
      if (found->problem) {
        health_.failed(*found->problem);
      } else {
        health_.succeeded();
      }
      auto changed = changes_.since_last(std::move(found->groups));
      if (!changed.empty()) update_(std::move(changed));
    }
    co_await net::rest(interval_);
  }
}

}  // namespace binnacle::collect::discovery
