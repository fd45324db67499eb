#include "app/config_keys.h"
#include "base/config_units.h"
#include "collect/container/container_options.h"
#include "collect/gpu/gpu_options.h"
#include "collect/host/host_options.h"
#include "collect/receive/push_gateway.h"
#include "collect/receive/remote_write.h"
#include "store/access/lockout.h"
#include "store/access/session_store.h"
#include "store/metrics/store_format.h"

namespace binnacle::app {
namespace {

ConfigKey regex(std::string path, std::string text, std::string meaning) {
  return {.path = std::move(path),
          .default_text = std::move(text),
          .unit = "RE2 regex",
          .meaning = std::move(meaning),
          .reload = Reload::kLive,
          .check = check_regex};
}

ConfigKey folder(std::string path, std::string text, std::string meaning) {
  return {.path = std::move(path),
          .default_text = std::move(text),
          .meaning = std::move(meaning),
          .reload = Reload::kLive};
}

ConfigKey count(std::string path, std::string text, std::string max, std::string unit,
                std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kInt,
          .default_text = std::move(text),
          .unit = std::move(unit),
          .meaning = std::move(meaning),
          .reload = Reload::kLive,
          .min = "1",
          .max = std::move(max)};
}

ConfigKey duration(std::string path, std::string text, std::string min, std::string max,
                   std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kDuration,
          .default_text = std::move(text),
          .meaning = std::move(meaning),
          .reload = Reload::kLive,
          .min = std::move(min),
          .max = std::move(max)};
}

void add_collect_keys(std::vector<ConfigKey>& keys) {
  keys.push_back({.path = "collect.host.enabled",
                  .type = ConfigType::kBool,
                  .default_text = "true",
                  .meaning = "Collect the metrics of this machine.",
                  .reload = Reload::kLive});
  keys.push_back(
      duration("collect.host.interval", "1s", "100ms", "1h", "Between two collections."));
  keys.push_back(
      folder("collect.host.proc_path", "/proc", "Where procfs of the watched host lies."));
  keys.push_back(folder("collect.host.sys_path", "/sys", "Where sysfs of the watched host lies."));
  keys.push_back(
      folder("collect.host.rootfs_path", "/",
             "Where the watched host's root lies; its mount points are looked up below."));
  const collect::host::HostOptions host;
  keys.push_back(
      regex("collect.host.mount_exclude", host.mount_exclude, "Mount points that are left out."));
  keys.push_back(regex("collect.host.file_system_exclude", host.file_system_exclude,
                       "Types of file systems that are left out."));
  keys.push_back(
      regex("collect.host.disk_exclude", host.disk_exclude, "Block devices that are left out."));
  keys.push_back(regex("collect.host.network_exclude", host.network_exclude,
                       "Network interfaces that are left out."));
}

ConfigKey enabled(std::string path, std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kBool,
          .default_text = "true",
          .meaning = std::move(meaning),
          .reload = Reload::kLive};
}

void add_process_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(enabled("collect.process.enabled", "Tell about groups of processes."));
  keys.push_back({.path = "collect.process.groups",
                  .type = ConfigType::kMap,
                  .default_text = "{}",
                  .unit = "RE2 regex",
                  .meaning =
                      "Groups of your own, by name: a process whose command line fits the pattern "
                      "is of it. Asked in order of names, before the known ones.",
                  .reload = Reload::kLive,
                  .check = check_regex});
  keys.push_back(enabled("collect.process.known_groups",
                         "Have groups for the inference engines and trainers that are known."));
  keys.push_back(count("collect.process.max_processes",
                       std::to_string(collect::host::ProcessOptions().max_processes), "100000",
                       "processes", "Of all groups; further ones are counted and left out."));
}

void add_machine_keys(std::vector<ConfigKey>& keys) {
  add_process_keys(keys);
  const collect::container::ContainerOptions container;
  keys.push_back(enabled("collect.container.enabled", "Tell about containers."));
  keys.push_back(count("collect.container.max_containers", std::to_string(container.max_containers),
                       "100000", "containers", "Further ones are counted and left out."));
  keys.push_back(folder("collect.container.docker_socket", container.docker_socket,
                        "Docker's socket, asked for names and images; empty: never."));
  const collect::gpu::GpuOptions gpu;
  keys.push_back(enabled("collect.gpu.enabled", "Tell about GPUs where there are any."));
  keys.push_back(folder("collect.gpu.nvml_library", gpu.nvml_library,
                        "NVIDIA's library, looked for as the system does; empty: never."));
  keys.push_back(duration("collect.gpu.stuck_after", format_duration_ms(gpu.stuck_ms), "1s", "10m",
                          "A GPU driver that has not answered for that long counts as stuck."));
  keys.push_back(count("collect.gpu.max_processes", std::to_string(gpu.max_processes), "4096",
                       "processes", "Of each GPU that are told, those with most memory."));
  const collect::host::HostOptions host;
  keys.push_back(folder("collect.textfile.folder", host.textfile.folder,
                        "Folder whose *.prom files are read; empty: none."));
  keys.push_back(count("collect.textfile.max_files", std::to_string(host.textfile.max_files),
                       "100000", "files", "Further ones are not read, and that is an error."));
  keys.push_back({.path = "collect.textfile.max_file_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = format_bytes(host.textfile.max_file_bytes),
                  .meaning = "Of one of these files; a larger one is an error.",
                  .reload = Reload::kLive,
                  .min = "1KiB",
                  .max = "1GiB"});
  keys.push_back(enabled("collect.systemd.enabled",
                         "Tell about the units of systemd where it runs the machine."));
  keys.push_back(regex("collect.systemd.unit_include", host.systemd.unit_include,
                       "Units that are told, by their whole name."));
  keys.push_back(regex("collect.systemd.unit_exclude", host.systemd.unit_exclude,
                       "Of these, units that are left out."));
}

void add_receive_keys(std::vector<ConfigKey>& keys) {
  const collect::receive::RemoteWriteOptions options;
  keys.push_back(
      {.path = "collect.receive.max_body_bytes",
       .type = ConfigType::kBytes,
       .default_text = format_bytes(options.max_body_bytes),
       .meaning = "Of a body of remote write or OTLP, as sent and decompressed; 413 beyond.",
       .min = "1KiB",
       .max = "1GiB"});
  keys.push_back(count("collect.receive.max_labels", std::to_string(options.labels.max_count),
                       "1024", "labels", "Of one series; its samples are refused beyond."));
  keys.push_back(count("collect.receive.max_label_name_bytes",
                       std::to_string(options.labels.max_name_bytes), "65536", "bytes",
                       "Of one label name; the series' samples are refused beyond."));
  keys.push_back(count("collect.receive.max_label_value_bytes",
                       std::to_string(options.labels.max_value_bytes), "1048576", "bytes",
                       "Of one label value; the series' samples are refused beyond."));
  keys.push_back(count("collect.receive.max_cached_series",
                       std::to_string(options.max_cached_series), "100000000", "series",
                       "Whose labels are known without reading them, 27 to 37 bytes each."));
}

ConfigKey attributes(std::string path, std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kStrings,
          .default_text = "[]",
          .meaning = std::move(meaning),
          .reload = Reload::kLive};
}

// By the names of Prometheus' `otlp` section.
void add_otlp_keys(std::vector<ConfigKey>& keys) {
  keys.push_back({.path = "collect.otlp.translation_strategy",
                  .type = ConfigType::kEnum,
                  .default_text = "UnderscoreEscapingWithSuffixes",
                  .meaning = "How names that come by OTLP are made Prometheus' own: other "
                             "characters to underscores, units and `_total` as suffixes.",
                  .reload = Reload::kLive,
                  .choices = {"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes",
                              "NoUTF8EscapingWithSuffixes", "NoTranslation"}});
  keys.push_back(attributes("collect.otlp.promote_resource_attributes",
                            "Resource attributes that become labels of every series."));
  keys.push_back({.path = "collect.otlp.promote_all_resource_attributes",
                  .type = ConfigType::kBool,
                  .default_text = "false",
                  .meaning = "All resource attributes become labels of every series.",
                  .reload = Reload::kLive});
  keys.push_back(attributes("collect.otlp.ignore_resource_attributes",
                            "Those that do not, where all others are promoted."));
  keys.push_back({.path = "collect.otlp.keep_identifying_resource_attributes",
                  .type = ConfigType::kBool,
                  .default_text = "false",
                  .meaning = "`target_info` repeats the attributes that `job` and `instance` are "
                             "made of.",
                  .reload = Reload::kLive});
}

void add_push_keys(std::vector<ConfigKey>& keys) {
  const collect::receive::PushGatewayOptions options;
  ConfigKey interval = duration("collect.push.interval", "10s", "1s", "5m",
                                "Between two samples of what was pushed to `/metrics/job/`.");
  interval.reload = Reload::kRestart;
  keys.push_back(std::move(interval));
  keys.push_back({.path = "collect.push.max_body_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = format_bytes(static_cast<int64_t>(options.max_body_bytes)),
                  .meaning = "Of one push, as sent and decompressed; 413 beyond.",
                  .min = "1KiB",
                  .max = "1GiB"});
  keys.push_back(count("collect.push.max_groups", std::to_string(options.max_groups), "1000000",
                       "groups",
                       "That are held; expired ones make room for new ones, else 429 beyond."));
  keys.push_back(count("collect.push.max_series", std::to_string(options.max_series), "100000000",
                       "series", "Of all groups together; 429 beyond."));
  keys.push_back({.path = "collect.push.max_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = format_bytes(static_cast<int64_t>(options.max_bytes)),
                  .meaning = "Of all groups' files together; 429 beyond.",
                  .reload = Reload::kLive,
                  .min = "1KiB",
                  .max = "100GB"});
}

ConfigKey series_limit(std::string path, std::string meaning) {
  ConfigKey key = count(std::move(path), "0", "100000000", "series", std::move(meaning));
  key.min = "0";
  return key;
}

std::string check_wal_sync(std::string_view text) {
  if (text == "always") return "";
  const auto ms = parse_duration_ms(text);
  return ms && *ms >= 10 && *ms <= 3'600'000 ? "" : "write always, or a duration from 10ms to 1h";
}

void add_storage_keys(std::vector<ConfigKey>& keys) {
  namespace metrics = store::metrics;
  keys.push_back({.path = "storage.format",
                  .type = ConfigType::kInt,
                  .default_text = std::to_string(metrics::kDefaultFormat),
                  .meaning =
                      "Version of what is written. Raise it when you will not go back to the "
                      "release before, which cannot read the newer one.",
                  .min = std::to_string(metrics::kOldestFormat),
                  .max = std::to_string(metrics::kNewestFormat)});
  keys.push_back(duration("storage.retention", "30d", "1h", "100y",
                          "How long samples are kept; older blocks are removed."));
  keys.push_back({.path = "storage.max_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = "100GB",
                  .meaning = "Of all blocks together; the oldest are removed beyond.",
                  .reload = Reload::kLive,
                  .min = "100MB",
                  .max = "1000000GB"});
  keys.push_back({.path = "storage.wal_sync",
                  .default_text = "1s",
                  .meaning =
                      "When the write-ahead log is forced to disk: `always` before a batch is "
                      "acknowledged, or every so often. Only a power cut tells the difference.",
                  .reload = Reload::kLive,
                  .check = check_wal_sync});
  keys.push_back(duration("storage.late_limit", "1d", "1m", "30d",
                          "How old a sample may be that is newer than its series' newest."));
  keys.push_back(duration("storage.out_of_order_window", "1h", "0s", "30d",
                          "How far a sample may lie behind its series' newest."));
  keys.push_back(duration("storage.max_ahead", "10m", "1s", "1d",
                          "How far in the future a sample's time may lie; it is refused beyond."));
  keys.push_back({.path = "storage.duplicates",
                  .type = ConfigType::kEnum,
                  .default_text = "refuse",
                  .meaning =
                      "What to do with another value at a time that has one: `refuse` it, or "
                      "let the `last` win.",
                  .reload = Reload::kLive,
                  .choices = {"refuse", "last"}});
  keys.push_back(
      count("storage.max_series", "2000000", "1000000000", "series",
            "In memory at a time, about 0.5 kB each; samples of further ones are refused."));
  keys.push_back({.path = "storage.max_head_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = "4GiB",
                  .meaning =
                      "Memory of the series and their newest samples; new series are refused "
                      "beyond.",
                  .reload = Reload::kLive,
                  .min = "1MiB",
                  .max = "100000GB"});
  keys.push_back(
      series_limit("storage.max_series_per_metric", "In memory of one metric name; 0: no limit."));
  keys.push_back(series_limit("storage.max_series_per_job",
                              "In memory with one value of `job`; 0: no limit."));
  keys.push_back(series_limit("storage.max_series_per_instance",
                              "In memory with one value of `instance`; 0: no limit."));
  keys.push_back({.path = "storage.snapshot_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = "64MiB",
                  .meaning = "Of write-ahead log after which memory is written down anew; a start "
                             "replays about as much.",
                  .reload = Reload::kLive,
                  .min = "64KiB",
                  .max = "100GB"});
  keys.push_back({.path = "storage.column_cache_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = "32MiB",
                  .meaning = "Memory for columns of blocks that queries read again and again, as "
                             "dashboards do; 0: none.",
                  .reload = Reload::kLive,
                  .min = "0",
                  .max = "1000GB"});
  keys.push_back({.path = "storage.compaction_bandwidth",
                  .type = ConfigType::kBytes,
                  .default_text = "64MiB",
                  .unit = "a second",
                  .meaning = "That merging blocks may write.",
                  .reload = Reload::kLive,
                  .min = "1MiB",
                  .max = "100GB"});
  keys.push_back({.path = "storage.downsample",
                  .type = ConfigType::kStrings,
                  .default_text = "[]",
                  .meaning =
                      "Coarser copies of old blocks, for long ranges: one point for each `5m` and "
                      "aggregate, for each `1h`, or both. Raw samples are kept beside them.",
                  .reload = Reload::kLive,
                  .choices = {"5m", "1h"}});
  keys.push_back({.path = "storage.external_labels",
                  .type = ConfigType::kMap,
                  .default_text = "{}",
                  .meaning = "Labels that name this server elsewhere; noted in each block."});
  keys.push_back({.path = "cluster.name",
                  .default_text = "default",
                  .meaning = "Label `cluster` of this server's own series and of its blocks."});
}

void add_query_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(duration("query.lookback", "5m", "1s", "1d",
                          "How old a sample may be and still be an instant's value."));
  keys.push_back(count("query.max_series", "100000", "100000000", "series",
                       "That one query may touch; 422 beyond."));
  keys.push_back(count("query.max_samples", "50000000", "10000000000", "samples",
                       "That one query may read; 422 beyond."));
  keys.push_back(count("query.max_points", "11000", "1000000", "points",
                       "Of each series in the answer of a range query; 400 beyond."));
  keys.push_back({.path = "query.max_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = "1GiB",
                  .meaning = "That one query may hold at a time; 422 beyond.",
                  .reload = Reload::kLive,
                  .min = "1MiB",
                  .max = "1000GiB"});
  keys.push_back(count("query.max_label_answers", "100000", "100000000", "names",
                       "Of labels, label values or series in an answer to a call without `limit`; "
                       "the rest is left out with a warning."));
  keys.push_back(duration("query.timeout", "2m", "100ms", "1h",
                          "How long one query may take once its turn has come; 503 beyond."));
  ConfigKey concurrency =
      count("query.max_concurrency", "0", "1024", "queries",
            "That are evaluated at a time; 0: one for each core, two at least. Others wait, and "
            "callers take turns.");
  concurrency.min = "0";
  concurrency.reload = Reload::kRestart;
  keys.push_back(std::move(concurrency));
  ConfigKey threads = count("query.threads", "0", "256", "threads",
                            "That work on one query of many series, its own among them; 0: one for "
                            "each core. All queries share the others.");
  threads.min = "0";
  threads.reload = Reload::kRestart;
  keys.push_back(std::move(threads));
  keys.push_back(count("query.max_queued", "1024", "1000000", "queries",
                       "That wait for their turn; 503 beyond."));
  keys.push_back(duration("query.queue_timeout", "30s", "100ms", "1h",
                          "How long a query may wait for its turn; 503 beyond."));
  keys.push_back(duration("query.slow_log", "10s", "0s", "1h",
                          "Queries that take longer are logged with their text; 0s: none is."));
  keys.push_back({.path = "query.experimental",
                  .type = ConfigType::kBool,
                  .default_text = "false",
                  .meaning = "Take the parts of PromQL that Prometheus calls experimental: some "
                             "functions, duration expressions, anchored and smoothed, fill.",
                  .reload = Reload::kLive});
}

void add_access_keys(std::vector<ConfigKey>& keys) {
  const store::access::SessionOptions session;
  const store::access::LockoutPolicy lockout;
  ConfigKey session_ttl = duration("access.session_ttl", format_duration_ms(session.lifetime_ms),
                                   "1m", "30d", "How long a login of the page lasts.");
  session_ttl.reload = Reload::kRestart;
  keys.push_back(std::move(session_ttl));
  keys.push_back(count("access.lockout_attempts", std::to_string(lockout.free_failures), "1000",
                       "failures",
                       "Failed logins that a client has free; the next one locks it out."));
  keys.push_back(duration("access.lockout_base", format_duration_ms(lockout.first_lock_ms), "100ms",
                          "1h", "The first lockout; each further failure doubles it."));
  keys.push_back(duration("access.lockout_max", format_duration_ms(lockout.longest_lock_ms), "1s",
                          "1d", "The longest lockout."));
}

}  // namespace

std::vector<ConfigKey> log_keys() {
  const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error", "off"};
  return {
      {.path = "log.level",
       .type = ConfigType::kEnum,
       .default_text = "info",
       .meaning = "The least severe level that is written.",
       .reload = Reload::kLive,
       .choices = levels},
      {.path = "log.format",
       .type = ConfigType::kEnum,
       .default_text = "auto",
       .meaning =
           "`json`: one object a line; `text`: coloured, for people; `auto`: text on a terminal.",
       .reload = Reload::kLive,
       .choices = {"auto", "json", "text"}},
      {.path = "log.file",
       .meaning = "File that is appended to; not set: stderr.",
       .reload = Reload::kLive},
      {.path = "log.components",
       .type = ConfigType::kMap,
       .default_text = "{}",
       .meaning = "Levels of single components over `log.level`, for example `{net: debug}`.",
       .reload = Reload::kLive,
       .choices = levels},
  };
}

std::vector<ConfigKey> data_keys() {
  std::vector<ConfigKey> keys;
  add_collect_keys(keys);
  add_machine_keys(keys);
  add_receive_keys(keys);
  add_otlp_keys(keys);
  add_push_keys(keys);
  add_storage_keys(keys);
  keys.push_back(duration("events.retention", "90d", "1h", "10y", "How long events are kept."));
  keys.push_back(count("events.max_count", "1000000", "100000000", "events",
                       "Kept at most; the oldest go first."));
  add_query_keys(keys);
  add_access_keys(keys);
  return keys;
}

}  // namespace binnacle::app
