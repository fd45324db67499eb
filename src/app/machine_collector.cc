#include "app/machine_collector.h"

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include "app/settings.h"
#include "collect/container/container_parts.h"
#include "collect/gpu/gpu_parts.h"

namespace binnacle::app {
namespace {

collect::gpu::GpuEventSink gpu_events(model::EventBus* events, const Clock& clock) {
  if (events == nullptr) return nullptr;
  return [events, &clock](const collect::gpu::GpuEvent& happened) {
    nlohmann::json data = {{"detail", happened.detail}};
    if (happened.gpu >= 0) data["gpu"] = happened.gpu;
    if (happened.xid != 0) data["xid"] = happened.xid;
    model::Event event;
    event.time_ms = clock.wall_ms();
    event.kind = happened.kind;
    event.subject = happened.uuid;
    event.data = data.dump();
    if (const auto published = events->publish(std::move(event)); !published) {
      Log("collect.gpu")
          .error("an event of a GPU was not stored",
                 {{"kind", happened.kind}, {"error", published.error().message}});
    }
  };
}

}  // namespace

Result<std::unique_ptr<collect::host::HostCollector>> make_machine_collector(
    const Config& config, const MachineCollectorPeers& peers, const model::Labels& labels,
    const std::string& host_name, std::optional<int64_t> interval_ms) {
  if (!config.get_bool("collect.host.enabled")) return nullptr;
  auto host = host_options(config);
  if (interval_ms) host.interval_ms = *interval_ms;
  collect::host::Parts further = collect::container::container_parts(
      container_options(config), host, peers.files, peers.clock);
  auto gpus =
      collect::gpu::gpu_parts(gpu_options(config, host_name), host, peers.files, peers.clock,
                              gpu_events(peers.events, peers.clock), peers.gpus);
  std::ranges::move(gpus, std::back_inserter(further));
  return collect::host::HostCollector::create(host, peers.files, peers.clock, peers.store,
                                              peers.registry, labels, std::move(further));
}

}  // namespace binnacle::app
