// The collector of the machine that we run on, with all its parts (host, processes, containers,
// GPUs), as the configuration wants it. Server and agent make theirs here.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/config.h"
#include "collect/gpu/gpu_board.h"
#include "collect/host/host_collector.h"
#include "model/event.h"

namespace binnacle::app {

struct MachineCollectorPeers {
  FileSystem& files;
  const Clock& clock;
  model::Appendable& store;
  Registry& registry;
  model::EventBus* events = nullptr;  // null: what happens to GPUs is told by series and log alone
  collect::gpu::GpuBoard* gpus = nullptr;  // null: nobody else wants to know of them
};

// Null when collect.host.enabled is false. `interval_ms`: other than collect.host.interval.
// `host_name`: how GPUs name their host. All peers outlive the collector.
Result<std::unique_ptr<collect::host::HostCollector>> make_machine_collector(
    const Config& config, const MachineCollectorPeers& peers, const model::Labels& labels,
    const std::string& host_name, std::optional<int64_t> interval_ms = std::nullopt);

}  // namespace binnacle::app
