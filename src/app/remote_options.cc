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

}  // namespace

std::vector<RemoteWriteConfig> remote_write_configs(const PrometheusFile& file,
                                                    uint64_t queue_max_bytes) {
  std::vector<RemoteWriteConfig> configs;
  for (ShipperOptions options : file.remote_writes) {
    options.name = name_of(options.name, options.url);
    options.external_labels = pairs_of(file.global.external_labels);
    configs.push_back({std::move(options), queue_max_bytes});
  }
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
