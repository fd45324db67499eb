// The objects of a Kubernetes source and the groups made of them: which changed since the last
// look, found without building all of them again. On one I/O thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "collect/discovery/kubernetes_groups.h"
#include "collect/discovery/kubernetes_objects.h"
#include "model/target.h"

namespace binnacle::collect::discovery {

class KubernetesStore {
 public:
  KubernetesStore(KubeKind role, KubeMetadata attach) : role_(role), attach_(attach) {}

  // `watch` tells apart the watches that bring objects of one kind from several namespaces.
  void replace(KubeKind kind, size_t watch, std::vector<KubeObject> objects);
  void put(KubeKind kind, size_t watch, KubeObject object);
  void remove(KubeKind kind, const std::string& key);

  bool has_changes() const { return !dirty_.empty(); }
  // Builds at most `limit` groups that may have changed; those that did are added to `changed`.
  void take_changes(size_t limit, std::vector<model::TargetGroup>& changed);

 private:
  struct Kept {
    ObjectPtr object;
    size_t watch = 0;
  };
  class Recorder;

  void touch(KubeKind kind, const std::string& key);
  void forget_uses(const std::string& key);
  model::TargetGroup build(const std::string& key);

  const KubeKind role_;
  const KubeMetadata attach_;
  std::map<KubeKind, std::unordered_map<std::string, Kept>> objects_;
  // Which groups look at an object, by "kind/key" of it, and the way back.
  std::unordered_map<std::string, std::set<std::string>> users_;
  std::unordered_map<std::string, std::set<std::string>> uses_;
  std::set<std::string> dirty_;  // keys of objects of the role
  std::unordered_map<std::string, model::TargetGroup> sent_;
};

}  // namespace binnacle::collect::discovery
