// Answers of a hostile API server: the first byte chooses between a page of a list and the lines of
// a watch, and the role. Whatever comes out makes groups, and taking all objects away again takes
// all groups away.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "collect/discovery/kubernetes_objects.h"
#include "collect/discovery/kubernetes_store.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::discovery;

constexpr std::array<KubeKind, 6> kRoles = {KubeKind::kPod,       KubeKind::kService,
                                            KubeKind::kEndpoints, KubeKind::kEndpointSlice,
                                            KubeKind::kNode,      KubeKind::kIngress};

void check(const std::vector<model::TargetGroup>& groups) {
  for (const auto& group : groups) {
    CHECK(!group.source.empty());
    for (const auto& target : group.targets) {
      for (const auto& label : target) CHECK(is_valid_utf8(label.value));
    }
  }
}

// Every object is of the role and of the kinds that it looks at.
void put(KubernetesStore& store, KubeKind role, const KubeObject& object) {
  store.put(role, 0, object);
  for (const KubeKind kind : {KubeKind::kPod, KubeKind::kService, KubeKind::kNode}) {
    if (kind != role) store.put(kind, 1, object);
  }
}

void take_page(KubernetesStore& store, KubeKind role, std::string_view body) {
  const auto page = parse_object_page(body);
  if (!page) return;
  for (const KubeObject& object : page->items) put(store, role, object);
}

void take_events(KubernetesStore& store, KubeKind role, std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const auto event = parse_watch_event(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    if (!event) continue;
    if (event->type == WatchEvent::Type::kChanged) put(store, role, event->object);
    if (event->type == WatchEvent::Type::kDeleted) store.remove(role, event->object.key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const KubeKind role = kRoles[(data[0] >> 1) % kRoles.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  KubernetesStore store(role, {.node = true, .name_space = true});
  if (data[0] % 2 == 0) {
    take_page(store, role, text);
  } else {
    take_events(store, role, text);
  }
  (void)status_message(text);
  std::vector<model::TargetGroup> groups;
  while (store.has_changes()) store.take_changes(7, groups);
  check(groups);
  store.replace(role, 0, {});
  std::vector<model::TargetGroup> gone;
  while (store.has_changes()) store.take_changes(7, gone);
  for (const auto& group : gone) CHECK(group.targets.empty());
  return 0;
}
