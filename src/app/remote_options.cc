#include "app/remote_options.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "net/client.h"

namespace binnacle::app {
namespace {

using collect::ship::RemoteReadOptions;
using collect::ship::RemoteWriteConfig;
using collect::ship::ShipperOptions;

// Without a name of its own a destination has one that is the same in each run, so that its queue
// on disk is found again.
std::string name_of(const std::string& name, const std::string& url_text) {
  if (!name.empty()) return name;
  const auto url = net::Url::parse(url_text);
  return fmt::format("{}-{:08x}", url ? url->host : "receiver", crc32c(url_text));
}

NamedValues pairs_of(const model::Labels& labels) {
  NamedValues pairs;
  for (const model::Label& label : labels) pairs.emplace_back(label.name, label.value);
  return pairs;
}

ShipperOptions shipper_options(const PrometheusRemoteWrite& entry, const model::Labels& external) {
  ShipperOptions options;
  options.name = name_of(entry.name, entry.url);
  options.url = entry.url;
  options.http = entry.http;
  options.headers = entry.headers;
  options.remote_timeout_ms = entry.remote_timeout_ms;
  options.external_labels = pairs_of(external);
  options.write_relabel = entry.write_relabel;
  options.min_shards = static_cast<size_t>(entry.queue.min_shards);
  options.max_shards = static_cast<size_t>(entry.queue.max_shards);
  options.max_samples_per_send = static_cast<size_t>(entry.queue.max_samples_per_send);
  options.batch_send_deadline_ms = entry.queue.batch_send_deadline_ms;
  options.min_backoff_ms = entry.queue.min_backoff_ms;
  options.max_backoff_ms = entry.queue.max_backoff_ms;
  options.sample_age_limit_ms = entry.queue.sample_age_limit_ms;
  options.send_metadata = entry.send_metadata;
  options.metadata_interval_ms = entry.metadata_interval_ms;
  options.max_metadata_per_send = static_cast<size_t>(entry.metadata_per_send);
  return options;
}

}  // namespace

std::vector<RemoteWriteConfig> remote_write_configs(const PrometheusFile& file,
                                                    uint64_t queue_max_bytes) {
  std::vector<RemoteWriteConfig> configs;
  for (const PrometheusRemoteWrite& entry : file.remote_writes)
    configs.push_back({shipper_options(entry, file.global.external_labels), queue_max_bytes});
  return configs;
}

std::vector<RemoteReadOptions> remote_read_options(const PrometheusFile& file) {
  std::vector<RemoteReadOptions> all = file.remote_reads;
  for (RemoteReadOptions& options : all) {
    options.name = name_of(options.name, options.url);
    options.external_labels = pairs_of(file.global.external_labels);
  }
  return all;
}

}  // namespace binnacle::app
