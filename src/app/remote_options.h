// From prometheus.yml's remote_write and remote_read to what collect/ship takes. Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "app/prometheus_file.h"
#include "collect/ship/remote_read_options.h"
#include "collect/ship/remote_writers.h"

namespace binnacle::app {

std::vector<collect::ship::RemoteWriteConfig> remote_write_configs(const PrometheusFile& file,
                                                                   uint64_t queue_max_bytes);
std::vector<collect::ship::RemoteReadOptions> remote_read_options(const PrometheusFile& file);

}  // namespace binnacle::app
