// From the checked configuration to what each room takes: the one place where key paths meet option
// structs. Pure; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "app/engine_watch.h"
#include "base/config.h"
#include "base/log.h"
#include "collect/container/container_options.h"
#include "collect/gpu/gpu_options.h"
#include "collect/host/host_options.h"
#include "collect/receive/otlp.h"
#include "collect/receive/push_gateway.h"
#include "collect/receive/remote_write.h"
#include "collect/scrape/scrape_manager.h"
#include "link/link_server.h"
#include "net/server.h"
#include "query/promql/query_meter.h"
#include "query/promql/query_queue.h"
#include "store/access/access_guard.h"
#include "store/access/session_store.h"
#include "store/metrics/store_options.h"
#include "store/state/event_store.h"

namespace binnacle::app {

LogOptions log_options(const Config& config);
net::ServerLimits server_limits(const Config& config);
net::RouteLimits route_limits(const Config& config);
link::LinkServerOptions link_options(const Config& config);
collect::host::HostOptions host_options(const Config& config);
collect::container::ContainerOptions container_options(const Config& config);
collect::gpu::GpuOptions gpu_options(const Config& config, const std::string& host_name);
collect::receive::RemoteWriteOptions remote_write_options(const Config& config);
collect::scrape::ScrapeOptions scrape_options(const Config& config);
EngineWatchOptions engine_watch_options(const Config& config);
uint64_t ship_queue_max_bytes(const Config& config);
collect::receive::OtlpReceiverOptions otlp_options(const Config& config);
collect::receive::PushGatewayOptions push_options(const Config& config);
store::metrics::StoreOptions store_options(const Config& config);
query::promql::QueryLimits query_limits(const Config& config);
query::promql::QueryQueueOptions query_queue_options(const Config& config);
size_t query_helper_count(const Config& config);  // threads that all queries share
std::map<std::string, std::string> prometheus_flags(const Config& config,
                                                    const std::string& folder);
store::state::EventRetention event_retention(const Config& config);
store::access::SessionOptions session_options(const Config& config);
// `listeners`: how each bound address asks for keys.
store::access::AccessOptions access_options(
    const Config& config, std::map<std::string, store::access::ListenerAccess> listeners);

// 0 in the configuration: one for each core, within sensible bounds.
size_t io_thread_count(const Config& config);
size_t pool_thread_count(const Config& config);

}  // namespace binnacle::app
