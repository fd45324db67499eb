#include "app/settings.h"

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "base/config_units.h"

namespace binnacle::app {
namespace {

// A page that loads, or a dashboard that opens, asks for many things at once.
constexpr double kBurstSeconds = 4;

std::chrono::milliseconds duration(const Config& config, std::string_view path) {
  return std::chrono::milliseconds(config.get_duration_ms(path));
}

size_t size(const Config& config, std::string_view path) {
  return static_cast<size_t>(config.get_int(path));
}

size_t bytes(const Config& config, std::string_view path) {
  return static_cast<size_t>(config.get_bytes(path));
}

size_t threads_or(const Config& config, std::string_view path, size_t least, size_t most) {
  const size_t set = size(config, path);
  return set != 0 ? set : std::clamp<size_t>(std::thread::hardware_concurrency(), least, most);
}

// The operator's own groups are asked before the known ones.
collect::host::ProcessOptions process_options(const Config& config) {
  collect::host::ProcessOptions options;
  options.enabled = config.get_bool("collect.process.enabled");
  options.max_processes = size(config, "collect.process.max_processes");
  auto known = std::move(options.groups);
  options.groups.clear();
  for (const auto& [name, pattern] : config.get_map("collect.process.groups"))
    options.groups.push_back({name, pattern});
  if (config.get_bool("collect.process.known_groups")) {
    for (auto& group : known) options.groups.push_back(std::move(group));
  }
  return options;
}

// The table allows only these names.
LogLevel level(std::string_view name) {
  const auto parsed = log_level_from_name(name);
  CHECK(parsed.has_value());
  return *parsed;
}

}  // namespace

LogOptions log_options(const Config& config) {
  LogOptions options;
  options.level = level(config.get_string("log.level"));
  const std::string& format = config.get_string("log.format");
  options.format = format == "json"   ? LogFormat::kJson
                   : format == "text" ? LogFormat::kText
                                      : LogFormat::kAuto;
  options.file = config.get_string("log.file");
  for (const auto& [component, name] : config.get_map("log.components")) {
    options.component_levels[component] = level(name);
  }
  return options;
}

net::ServerLimits server_limits(const Config& config) {
  net::ServerLimits limits;
  limits.max_connections = size(config, "server.limits.max_connections");
  limits.max_header_bytes = bytes(config, "server.limits.max_header_bytes");
  limits.header_timeout = duration(config, "server.limits.header_timeout");
  limits.idle_timeout = duration(config, "server.limits.idle_timeout");
  limits.write_timeout = duration(config, "server.limits.write_timeout");
  limits.min_body_bytes_per_second = bytes(config, "server.limits.min_body_bytes_per_second");
  limits.compress_from_bytes = bytes(config, "server.limits.compress_from_bytes");
  return limits;
}

net::RouteLimits route_limits(const Config& config) {
  net::RouteLimits limits;
  limits.max_body_bytes = bytes(config, "server.limits.max_body_bytes");
  limits.timeout = duration(config, "server.limits.request_timeout");
  limits.max_concurrent = size(config, "server.limits.max_concurrent");
  return limits;
}

link::LinkServerOptions link_options(const Config& config) {
  link::LinkServerOptions options;
  options.session.beat_interval_ms = config.get_duration_ms("link.beat_interval");
  options.session.silence_limit_ms = config.get_duration_ms("link.silence_limit");
  options.max_nodes = size(config, "link.max_nodes");
  options.late_limit_ms = config.get_duration_ms("storage.late_limit");
  return options;
}

collect::host::HostOptions host_options(const Config& config) {
  collect::host::HostOptions options;
  options.interval_ms = config.get_duration_ms("collect.host.interval");
  options.proc_path = config.get_string("collect.host.proc_path");
  options.sys_path = config.get_string("collect.host.sys_path");
  options.rootfs_path = config.get_string("collect.host.rootfs_path");
  options.disk_exclude = config.get_string("collect.host.disk_exclude");
  options.network_exclude = config.get_string("collect.host.network_exclude");
  options.mount_exclude = config.get_string("collect.host.mount_exclude");
  options.file_system_exclude = config.get_string("collect.host.file_system_exclude");
  options.processes = process_options(config);
  options.textfile.folder = config.get_string("collect.textfile.folder");
  options.textfile.max_files = size(config, "collect.textfile.max_files");
  options.textfile.max_file_bytes = bytes(config, "collect.textfile.max_file_bytes");
  options.systemd.enabled = config.get_bool("collect.systemd.enabled");
  options.systemd.unit_include = config.get_string("collect.systemd.unit_include");
  options.systemd.unit_exclude = config.get_string("collect.systemd.unit_exclude");
  return options;
}

collect::container::ContainerOptions container_options(const Config& config) {
  collect::container::ContainerOptions options;
  options.enabled = config.get_bool("collect.container.enabled");
  options.max_containers = size(config, "collect.container.max_containers");
  options.docker_socket = config.get_string("collect.container.docker_socket");
  return options;
}

collect::gpu::GpuOptions gpu_options(const Config& config, const std::string& host_name) {
  collect::gpu::GpuOptions options;
  options.enabled = config.get_bool("collect.gpu.enabled");
  options.nvml_library = config.get_string("collect.gpu.nvml_library");
  options.stuck_ms = config.get_duration_ms("collect.gpu.stuck_after");
  options.max_processes = size(config, "collect.gpu.max_processes");
  options.host_name = host_name;
  return options;
}

collect::receive::RemoteWriteOptions remote_write_options(const Config& config) {
  collect::receive::RemoteWriteOptions options;
  options.max_body_bytes = bytes(config, "collect.receive.max_body_bytes");
  options.max_cached_series = size(config, "collect.receive.max_cached_series");
  options.labels.max_count = size(config, "collect.receive.max_labels");
  options.labels.max_name_bytes = size(config, "collect.receive.max_label_name_bytes");
  options.labels.max_value_bytes = size(config, "collect.receive.max_label_value_bytes");
  return options;
}

collect::receive::OtlpReceiverOptions otlp_options(const Config& config) {
  const auto receive = remote_write_options(config);
  collect::receive::OtlpReceiverOptions options;
  options.max_body_bytes = receive.max_body_bytes;
  options.labels = receive.labels;
  // The table allows only these names.
  const auto translation = collect::receive::otlp_translation_from_name(
      config.get_string("collect.otlp.translation_strategy"));
  CHECK(translation.has_value());
  options.otlp.translation = *translation;
  options.otlp.promote_resource_attributes =
      config.get_strings("collect.otlp.promote_resource_attributes");
  options.otlp.promote_all_resource_attributes =
      config.get_bool("collect.otlp.promote_all_resource_attributes");
  options.otlp.ignore_resource_attributes =
      config.get_strings("collect.otlp.ignore_resource_attributes");
  options.otlp.keep_identifying_resource_attributes =
      config.get_bool("collect.otlp.keep_identifying_resource_attributes");
  return options;
}

collect::scrape::ScrapeOptions scrape_options(const Config& config) {
  collect::scrape::ScrapeOptions options;
  options.threads = size(config, "collect.scrape.threads");
  options.max_concurrent = size(config, "collect.scrape.max_concurrent");
  options.max_body_bytes = bytes(config, "collect.scrape.max_body_bytes");
  options.page.max_samples = size(config, "collect.scrape.max_samples");
  options.page.extra_metrics = config.get_bool("collect.scrape.extra_metrics");
  const collect::receive::LabelLimits labels = remote_write_options(config).labels;
  options.page.max_labels = labels.max_count;
  options.page.max_label_name_bytes = labels.max_name_bytes;
  options.page.max_label_value_bytes = labels.max_value_bytes;
  return options;
}

namespace {

watch::health::EngineWatcherOptions engine_judging_options(const Config& config) {
  watch::health::EngineWatcherOptions options;
  watch::health::ProgressOptions& limits = options.progress;
  options.canaries = config.get_bool("health.engines.canaries");
  options.proc_path = config.get_string("collect.host.proc_path");
  limits.look_interval_ms = config.get_duration_ms("health.engines.look_interval");
  limits.stall_limit_ms = config.get_duration_ms("health.engines.stall_limit");
  limits.hard_limit_ms = config.get_duration_ms("health.engines.hard_limit");
  limits.silent_limit_ms = config.get_duration_ms("health.engines.silent_limit");
  limits.idle_canary_ms = config.get_duration_ms("health.engines.idle_canary");
  limits.busy_canary_ms = config.get_duration_ms("health.engines.busy_canary");
  limits.canary_timeout_ms = config.get_duration_ms("health.engines.canary_timeout");
  limits.cold_canary_timeout_ms = config.get_duration_ms("health.engines.cold_canary_timeout");
  return options;
}

}  // namespace

EngineWatchOptions engine_watch_options(const Config& config) {
  EngineWatchOptions options;
  options.enabled = config.get_bool("collect.engines.enabled");
  options.search_interval_ms = config.get_duration_ms("collect.engines.search_interval");
  options.scrape_interval_ms = config.get_duration_ms("collect.engines.scrape_interval");
  options.keep_gone_ms = config.get_duration_ms("collect.engines.keep_gone");
  options.proc_path = config.get_string("collect.host.proc_path");
  options.judged = config.get_bool("health.engines.enabled");
  options.judging = engine_judging_options(config);
  return options;
}

uint64_t ship_queue_max_bytes(const Config& config) {
  return bytes(config, "ship.queue_max_bytes");
}

collect::receive::PushGatewayOptions push_options(const Config& config) {
  collect::receive::PushGatewayOptions options;
  options.max_body_bytes = bytes(config, "collect.push.max_body_bytes");
  options.max_groups = size(config, "collect.push.max_groups");
  options.max_series = size(config, "collect.push.max_series");
  options.max_bytes = bytes(config, "collect.push.max_bytes");
  options.labels = remote_write_options(config).labels;
  return options;
}

store::metrics::StoreOptions store_options(const Config& config) {
  store::metrics::StoreOptions options;
  options.format = static_cast<int>(config.get_int("storage.format"));
  options.limits.late_limit_ms = config.get_duration_ms("storage.late_limit");
  options.limits.out_of_order_ms = config.get_duration_ms("storage.out_of_order_window");
  options.limits.max_ahead_ms = config.get_duration_ms("storage.max_ahead");
  options.limits.last_value_wins = config.get_string("storage.duplicates") == "last";
  options.limits.max_series = size(config, "storage.max_series");
  options.limits.max_head_bytes = bytes(config, "storage.max_head_bytes");
  options.limits.max_series_per_metric = size(config, "storage.max_series_per_metric");
  options.limits.max_series_per_job = size(config, "storage.max_series_per_job");
  options.limits.max_series_per_instance = size(config, "storage.max_series_per_instance");
  const std::string& sync = config.get_string("storage.wal_sync");
  options.wal.sync_always = sync == "always";
  if (!options.wal.sync_always) options.wal.sync_interval_ms = *parse_duration_ms(sync);
  options.snapshot_bytes = bytes(config, "storage.snapshot_bytes");
  options.retention_ms = config.get_duration_ms("storage.retention");
  options.retention_bytes = bytes(config, "storage.max_bytes");
  options.column_cache_bytes = bytes(config, "storage.column_cache_bytes");
  options.compaction_bytes_per_second = bytes(config, "storage.compaction_bandwidth");
  for (const std::string& resolution : config.get_strings("storage.downsample"))
    options.downsample_ms.push_back(*parse_duration_ms(resolution));
  options.cluster = config.get_string("cluster.name");
  for (const auto& [name, value] : config.get_map("storage.external_labels"))
    options.external_labels[name] = value;
  return options;
}

query::promql::QueryLimits query_limits(const Config& config) {
  query::promql::QueryLimits limits;
  limits.lookback_ms = config.get_duration_ms("query.lookback");
  limits.max_points = size(config, "query.max_points");
  limits.max_series = size(config, "query.max_series");
  limits.max_samples = size(config, "query.max_samples");
  limits.max_bytes = bytes(config, "query.max_bytes");
  limits.max_label_answers = size(config, "query.max_label_answers");
  limits.timeout_ms = config.get_duration_ms("query.timeout");
  limits.experimental = config.get_bool("query.experimental");
  return limits;
}

query::promql::QueryQueueOptions query_queue_options(const Config& config) {
  query::promql::QueryQueueOptions options;
  options.max_concurrency = threads_or(config, "query.max_concurrency", 2, 1024);
  options.max_queued = size(config, "query.max_queued");
  options.max_wait_ms = config.get_duration_ms("query.queue_timeout");
  return options;
}

size_t query_helper_count(const Config& config) {
  return threads_or(config, "query.threads", 1, 16) - 1;
}

// By the names of Prometheus' flags, for those who look for our settings under these.
std::map<std::string, std::string> prometheus_flags(const Config& config,
                                                    const std::string& folder) {
  const auto of_duration = [&](std::string_view path) {
    return format_duration_ms(config.get_duration_ms(path));
  };
  const auto of_number = [&](std::string_view path) {
    return std::to_string(config.get_int(path));
  };
  return {
      {"config.file", ""},
      {"query.lookback-delta", of_duration("query.lookback")},
      {"query.max-concurrency", std::to_string(query_queue_options(config).max_concurrency)},
      {"query.max-samples", of_number("query.max_samples")},
      {"query.timeout", of_duration("query.timeout")},
      {"storage.remote.read-sample-limit", of_number("query.max_samples")},
      {"storage.tsdb.path", folder},
      {"storage.tsdb.retention.size", format_bytes(config.get_bytes("storage.max_bytes"))},
      {"storage.tsdb.retention.time", of_duration("storage.retention")},
      {"web.enable-admin-api", "true"},
      {"web.enable-lifecycle", "true"},
      {"web.enable-remote-write-receiver", "true"},
  };
}

store::state::EventRetention event_retention(const Config& config) {
  return {.max_age_ms = config.get_duration_ms("events.retention"),
          .max_count = config.get_int("events.max_count")};
}

store::access::SessionOptions session_options(const Config& config) {
  store::access::SessionOptions options;
  options.lifetime_ms = config.get_duration_ms("access.session_ttl");
  return options;
}

store::access::AccessOptions access_options(
    const Config& config, std::map<std::string, store::access::ListenerAccess> listeners) {
  store::access::AccessOptions options;
  options.allowed_hosts = config.get_strings("server.allowed_hosts");
  options.listeners = std::move(listeners);
  options.lockout.free_failures = static_cast<int>(config.get_int("access.lockout_attempts"));
  options.lockout.first_lock_ms = config.get_duration_ms("access.lockout_base");
  options.lockout.longest_lock_ms = config.get_duration_ms("access.lockout_max");
  for (size_t i = 0; i < net::kRouteGroups; ++i) {
    const auto group = net::route_group_name(static_cast<net::RouteGroup>(i));
    const double per_second = config.get_float("server.rate_limit." + std::string(group));
    options.rate_limits[i] = {per_second,
                              per_second == 0 ? 0 : std::max(1.0, kBurstSeconds * per_second)};
  }
  return options;
}

size_t io_thread_count(const Config& config) {
  return threads_or(config, "server.io_threads", 1, 4);
}

size_t pool_thread_count(const Config& config) {
  return threads_or(config, "server.pool_threads", 2, 64);
}

}  // namespace binnacle::app
