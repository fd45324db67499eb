#include "app/prometheus_remote_yaml.h"

#include <set>

#include "collect/discovery/source_config_yaml.h"
#include "model/relabel_yaml.h"
#include "net/http_config_yaml.h"

namespace binnacle::app {
namespace {

using collect::ship::ShipperOptions;

constexpr std::string_view kSchemes[] = {"http", "https"};
constexpr std::string_view kApiVersions[] = {"v2"};
constexpr std::string_view kMessages[] = {"prometheus.WriteRequest",
                                          "io.prometheus.write.v2.Request"};
constexpr std::string_view kNoCloudLogin =
    "has no effect: this way to log in does not exist here; basic_auth, authorization and oauth2 "
    "do";

void read_rules(YamlMap& map, std::string_view name, std::vector<model::RelabelRule>& rules) {
  if (const auto list = map.field(name)) rules = model::read_relabel_rules(*list);
}

// True when the cloud's way to log in is asked for beside one of ours.
void read_cloud_logins(YamlMap& map, std::initializer_list<const char*> names,
                       const net::HttpClientConfig& http) {
  int ways = http.basic_auth || http.authorization || http.oauth2 ? 1 : 0;
  for (const char* name : names) {
    if (map.field(name)) ++ways;
    map.unused(name, kNoCloudLogin);
  }
  if (ways > 1) map.value().problem("more than one way to log in is given: keep one");
}

PrometheusAlertmanager read_alertmanager(const YamlValue& value) {
  YamlMap map(value);
  PrometheusAlertmanager config;
  config.http = net::read_http_config(map);
  config.sources = collect::discovery::read_sources(map);
  map.choice("scheme", config.scheme, kSchemes);
  map.read("path_prefix", config.path_prefix);
  map.duration("timeout", config.timeout_ms);
  std::string version;
  map.choice("api_version", version, kApiVersions);
  read_rules(map, "relabel_configs", config.relabel);
  read_rules(map, "alert_relabel_configs", config.alert_relabel);
  read_cloud_logins(map, {"sigv4"}, config.http);
  map.finish();
  if (config.relabel.empty()) collect::discovery::check_static_targets(map, config.sources);
  return config;
}

void read_headers(YamlMap& map, NamedValues& headers) {
  map.read("headers", headers);
  const auto at = map.field("headers");
  for (const auto& [name, value] : headers) net::check_header_name(*at, name);
}

void read_url(YamlMap& map, std::string& url) {
  map.read("url", url);
  if (url.empty()) return map.value().problem("url is missing");
  net::check_url(*map.field("url"), url);
}

void require_positive(const YamlMap& map, std::string_view name, uint64_t value) {
  if (value > 0) return;
  map.value().problem("not above 0", std::to_string(value), "raise " + std::string(name));
}

// `capacity` bounds a queue in memory and 429 may count as refused at Prometheus; here the queue is
// on disk and 429 is always tried again.
void read_queue(const YamlValue& value, ShipperOptions& options) {
  YamlMap map(value);
  uint64_t capacity = 1;
  bool retry_on_429 = true;
  map.read("capacity", capacity);
  map.read("max_shards", options.max_shards);
  map.read("min_shards", options.min_shards);
  map.read("max_samples_per_send", options.max_samples_per_send);
  map.duration("batch_send_deadline", options.batch_send_deadline_ms);
  map.duration("min_backoff", options.min_backoff_ms);
  map.duration("max_backoff", options.max_backoff_ms);
  map.read("retry_on_http_429", retry_on_429);
  map.duration("sample_age_limit", options.sample_age_limit_ms);
  map.finish();
  require_positive(map, "capacity", capacity);
  require_positive(map, "max_shards", options.max_shards);
  require_positive(map, "min_shards", options.min_shards);
  require_positive(map, "max_samples_per_send", options.max_samples_per_send);
  if (options.min_shards > options.max_shards) value.problem("min_shards is above max_shards");
  if (options.min_backoff_ms > options.max_backoff_ms)
    value.problem("min_backoff is above max_backoff");
}

void read_metadata(const YamlValue& value, ShipperOptions& options) {
  YamlMap map(value);
  map.read("send", options.send_metadata);
  map.duration("send_interval", options.metadata_interval_ms);
  map.read("max_samples_per_send", options.max_metadata_per_send);
  map.finish();
}

ShipperOptions read_remote_write(const YamlValue& value) {
  YamlMap map(value);
  ShipperOptions options;
  bool send_exemplars = false;  // there are none to send
  read_url(map, options.url);
  map.read("name", options.name);
  map.duration("remote_timeout", options.remote_timeout_ms);
  read_headers(map, options.headers);
  read_rules(map, "write_relabel_configs", options.write_relabel);
  map.read("send_exemplars", send_exemplars);
  if (const auto queue = map.field("queue_config")) read_queue(*queue, options);
  if (const auto metadata = map.field("metadata_config")) read_metadata(*metadata, options);
  std::string message;
  map.choice("protobuf_message", message, kMessages);
  if (message == kMessages[1]) {
    map.unused("protobuf_message", "has no effect: remote write 1.0 is sent");
  }
  map.unused("send_native_histograms", "has no effect: there are no native histograms here");
  map.unused("round_robin_dns", "has no effect: every new connection tries all addresses");
  map.unused("failed_request_logging", "has no effect: refused requests are logged and counted");
  options.http = net::read_http_config(map);
  read_cloud_logins(map, {"sigv4", "azuread", "google_iam"}, options.http);
  map.finish();
  return options;
}

collect::ship::RemoteReadOptions read_remote_read(const YamlValue& value) {
  YamlMap map(value);
  collect::ship::RemoteReadOptions config;
  read_url(map, config.url);
  map.read("name", config.name);
  map.duration("remote_timeout", config.remote_timeout_ms);
  read_headers(map, config.headers);
  map.read("required_matchers", config.required_matchers);
  map.read("read_recent", config.read_recent);
  map.read("filter_external_labels", config.filter_external_labels);
  map.unused("chunked_read_limit", "has no effect: samples are asked for, not chunks");
  config.http = net::read_http_config(map);
  map.finish();
  return config;
}

// Names that are given differ; an entry without content is a mistake.
template <typename Config, typename Read>
void read_list(const YamlValue& list, std::vector<Config>& out, Read read) {
  std::set<std::string> names;
  for (const YamlValue& entry : list.items()) {
    if (entry.is_null()) {
      entry.problem("empty entry: fill it in or remove it");
      continue;
    }
    out.push_back(read(entry));
    const std::string& name = out.back().name;
    if (!name.empty() && !names.insert(name).second) {
      entry.problem("name is taken by another entry", name, "choose another");
    }
  }
}

}  // namespace

void read_alerting(const YamlValue& section, PrometheusFile& file) {
  YamlMap map(section);
  read_rules(map, "alert_relabel_configs", file.alert_relabel);
  if (const auto list = map.field("alertmanagers")) {
    for (const YamlValue& entry : list->items()) {
      file.alertmanagers.push_back(read_alertmanager(entry));
    }
  }
  map.finish();
}

void read_remote_writes(const YamlValue& list, PrometheusFile& file) {
  read_list(list, file.remote_writes, read_remote_write);
}

void read_remote_reads(const YamlValue& list, PrometheusFile& file) {
  read_list(list, file.remote_reads, read_remote_read);
}

}  // namespace binnacle::app
