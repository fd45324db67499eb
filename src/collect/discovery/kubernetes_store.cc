#include "collect/discovery/kubernetes_store.h"

#include <nlohmann/json.hpp>

#include "collect/discovery/refresh_source.h"

namespace binnacle::collect::discovery {
namespace {

std::string reference(KubeKind kind, const std::string& key) {
  return std::string(kube_kind_name(kind)) + "/" + key;
}

}  // namespace

// Notes what a group looks at while it is built.
class KubernetesStore::Recorder final : public KubeLookup {
 public:
  Recorder(KubernetesStore& store, std::string user) : store_(store), user_(std::move(user)) {}

  const nlohmann::json* find(KubeKind kind, const std::string& key) override {
    const std::string used = reference(kind, key);
    store_.users_[used].insert(user_);
    store_.uses_[user_].insert(used);
    const auto& of_kind = store_.objects_[kind];
    const auto found = of_kind.find(key);
    return found == of_kind.end() ? nullptr : found->second.object.get();
  }

 private:
  KubernetesStore& store_;
  const std::string user_;
};

void KubernetesStore::touch(KubeKind kind, const std::string& key) {
  if (kind == role_) dirty_.insert(key);
  const auto users = users_.find(reference(kind, key));
  if (users != users_.end()) dirty_.insert(users->second.begin(), users->second.end());
}

void KubernetesStore::replace(KubeKind kind, size_t watch, std::vector<KubeObject> objects) {
  std::set<std::string> gone;
  for (const auto& [key, kept] : objects_[kind]) {
    if (kept.watch == watch) gone.insert(key);
  }
  for (KubeObject& object : objects) {
    gone.erase(object.key);
    put(kind, watch, std::move(object));
  }
  for (const std::string& key : gone) remove(kind, key);
}

void KubernetesStore::put(KubeKind kind, size_t watch, KubeObject object) {
  touch(kind, object.key);
  objects_[kind].insert_or_assign(std::move(object.key), Kept{std::move(object.object), watch});
}

void KubernetesStore::remove(KubeKind kind, const std::string& key) {
  touch(kind, key);
  objects_[kind].erase(key);
}

void KubernetesStore::forget_uses(const std::string& key) {
  const auto uses = uses_.find(key);
  if (uses == uses_.end()) return;
  for (const std::string& used : uses->second) {
    const auto users = users_.find(used);
    if (users == users_.end()) continue;
    users->second.erase(key);
    if (users->second.empty()) users_.erase(users);
  }
  uses_.erase(uses);
}

model::TargetGroup KubernetesStore::build(const std::string& key) {
  forget_uses(key);
  const auto& own = objects_[role_];
  const auto found = own.find(key);
  if (found == own.end()) {
    return {.source = kube_group_source(role_, key), .targets = {}, .labels = {}};
  }
  Recorder recorder(*this, key);
  return kube_group(role_, key, *found->second.object, attach_, recorder);
}

void KubernetesStore::take_changes(size_t limit, std::vector<model::TargetGroup>& changed) {
  for (; limit > 0 && !dirty_.empty(); --limit) {
    const std::string key = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    model::TargetGroup group = build(key);
    const auto sent = sent_.find(key);
    if (group.targets.empty()) {
      if (sent == sent_.end()) continue;
      sent_.erase(sent);
    } else if (sent != sent_.end() && same_group(sent->second, group)) {
      continue;
    } else {
      sent_.insert_or_assign(key, group);
    }
    changed.push_back(std::move(group));
  }
}

}  // namespace binnacle::collect::discovery
