#include "collect/discovery/kubernetes_source.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "collect/discovery/kubernetes_store.h"
#include "net/background_loop.h"
#include "net/wakeup.h"

namespace binnacle::collect::discovery {
namespace {

namespace asio = boost::asio;

constexpr size_t kGroupsAtOnce = 32;  // built before other work of the I/O thread has its turn
constexpr std::string_view kOwnNamespace = "\n";  // no name: stands for the pod's, known later

KubeKind kind_of(std::string_view role) {
  for (const KubeKind kind : {KubeKind::kService, KubeKind::kEndpoints, KubeKind::kEndpointSlice,
                              KubeKind::kNode, KubeKind::kIngress}) {
    if (kube_kind_name(kind) == role) return kind;
  }
  return KubeKind::kPod;
}

// What has to be watched for a role.
std::vector<KubeKind> kinds_of(KubeKind role, KubeMetadata attach) {
  std::vector<KubeKind> kinds{role};
  if (role == KubeKind::kEndpoints || role == KubeKind::kEndpointSlice) {
    kinds.push_back(KubeKind::kService);
    kinds.push_back(KubeKind::kPod);
  }
  const bool on_nodes = role == KubeKind::kPod || kinds.size() > 1;
  if (attach.node && on_nodes) kinds.push_back(KubeKind::kNode);
  if (attach.name_space && role != KubeKind::kNode) kinds.push_back(KubeKind::kNamespace);
  return kinds;
}

bool is_namespaced(KubeKind kind) {
  return kind != KubeKind::kNode && kind != KubeKind::kNamespace;
}

// "/api/v1/namespaces/<name>/pods", "/api/v1/pods" for all namespaces.
std::string path_of(KubeKind kind, const std::string& name_space) {
  std::string path = "/api/v1";
  if (kind == KubeKind::kEndpointSlice) path = "/apis/discovery.k8s.io/v1";
  if (kind == KubeKind::kIngress) path = "/apis/networking.k8s.io/v1";
  if (!name_space.empty()) path += "/namespaces/" + net::percent_encode(name_space);
  switch (kind) {
    case KubeKind::kEndpoints:
      return path + "/endpoints";
    case KubeKind::kIngress:
      return path + "/ingresses";
    default:
      return path + "/" + std::string(kube_kind_name(kind)) + "s";
  }
}

}  // namespace

struct KubernetesSource::Impl final : ObjectSink {
  struct Watched {
    KubeKind kind = KubeKind::kPod;
    std::string name_space;  // "": all
    bool synced = false;
  };

  Impl(KubernetesSdConfig source_config, const KubernetesParts& source_parts,
       SourceHealth& source_health)
      : config(std::move(source_config)),
        parts(source_parts),
        health(source_health),
        role(kind_of(config.role)),
        attach{config.attach_node, config.attach_namespace},
        store(role, attach),
        loop(parts.io) {
    std::vector<std::string> namespaces = config.namespaces;
    if (config.own_namespace) namespaces.emplace_back(kOwnNamespace);
    if (namespaces.empty()) namespaces.emplace_back();
    for (const KubeKind kind : kinds_of(role, attach)) {
      if (!is_namespaced(kind)) {
        watched.push_back({kind, ""});
        continue;
      }
      for (const std::string& name : namespaces) watched.push_back({kind, name});
    }
  }

  asio::awaitable<void> find_server();
  asio::awaitable<void> run_watch(size_t number);
  asio::awaitable<void> hand_on();

  void listed(size_t watch, std::vector<KubeObject> objects) override {
    watched[watch].synced = true;
    store.replace(watched[watch].kind, watch, std::move(objects));
    notify();
  }
  void changed(size_t watch, KubeObject object) override {
    store.put(watched[watch].kind, watch, std::move(object));
    notify();
  }
  void deleted(size_t watch, const std::string& key) override {
    store.remove(watched[watch].kind, key);
    notify();
  }
  void notify() {
    if (wakeup) wakeup->notify();
  }
  bool ready() const {
    return store.has_changes() && std::ranges::all_of(watched, &Watched::synced);
  }

  // Fixed after construction
  const KubernetesSdConfig config;
  const KubernetesParts parts;
  SourceHealth& health;
  const KubeKind role;
  const KubeMetadata attach;
  model::TargetSource::Update update;

  // I/O thread only
  std::vector<Watched> watched;
  KubernetesStore store;
  std::optional<KubernetesAccess> access;
  std::unique_ptr<net::HttpPeer> peer;
  int64_t next_try_ms = 0;  // monotonic
  std::optional<net::Wakeup> wakeup;

  net::BackgroundLoop loop;  // last: its coroutines use all of the above
};

// Files may be mended while we run. The first watch that comes tries for all.
asio::awaitable<void> KubernetesSource::Impl::find_server() {
  while (peer == nullptr) {
    const int64_t now_ms = parts.clock.monotonic_ms();
    if (now_ms >= next_try_ms) {
      next_try_ms = now_ms + parts.timing.longest_rest.count();
      auto found = find_kubernetes(config, parts.files, parts.pod);
      if (found) {
        access = std::move(*found);
        peer = std::make_unique<net::HttpPeer>(access->http, parts.files, parts.clock);
        co_return;
      }
      health.failed(found.error());
    }
    co_await net::rest(parts.timing.first_rest);
  }
}

asio::awaitable<void> KubernetesSource::Impl::run_watch(size_t number) {
  co_await find_server();
  const Watched& what = watched[number];
  const std::string& name_space =
      what.name_space == kOwnNamespace ? access->own_namespace : what.name_space;
  WatchTarget target{.watch = number,
                     .url = access->server + path_of(what.kind, name_space),
                     .label_selector = {},
                     .field_selector = {}};
  for (const KubernetesSelector& selector : config.selectors) {
    if (selector.role != kube_kind_name(what.kind)) continue;
    target.label_selector = selector.label;
    target.field_selector = selector.field;
  }
  KubernetesWatch watch(std::move(target), *peer, *this, health, parts.pool, parts.random,
                        parts.timing);
  co_await watch.run();
}

asio::awaitable<void> KubernetesSource::Impl::hand_on() {
  const auto executor = co_await asio::this_coro::executor;
  wakeup.emplace(executor);
  while (true) {
    while (!ready()) co_await wakeup->wait();
    co_await net::rest(parts.timing.settle);
    std::vector<model::TargetGroup> groups;
    while (store.has_changes()) {
      store.take_changes(kGroupsAtOnce, groups);
      co_await asio::post(executor, asio::use_awaitable);
    }
    if (!groups.empty()) update(std::move(groups));
  }
}

KubernetesSource::KubernetesSource(KubernetesSdConfig config, const KubernetesParts& parts,
                                   SourceHealth& health)
    : impl_(std::make_unique<Impl>(std::move(config), parts, health)) {}

KubernetesSource::~KubernetesSource() = default;

void KubernetesSource::start(Update update) {
  impl_->update = std::move(update);
  std::vector<net::BackgroundLoop::Body> bodies;
  bodies.emplace_back([impl = impl_.get()] { return impl->hand_on(); });
  for (size_t i = 0; i < impl_->watched.size(); ++i) {
    bodies.emplace_back([impl = impl_.get(), i] { return impl->run_watch(i); });
  }
  impl_->loop.start(std::move(bodies));
}

void KubernetesSource::stop() { impl_->loop.stop(); }

}  // namespace binnacle::collect::discovery
