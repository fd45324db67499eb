// Reads the sections of prometheus.yml that speak of other servers: alerting, remote_write,
// remote_read. Pure; what is wrong is a problem of the document.
#pragma once

#include "app/prometheus_file.h"
#include "base/yaml_reader.h"

namespace binnacle::app {

void read_alerting(const YamlValue& section, PrometheusFile& file);
void read_remote_writes(const YamlValue& list, PrometheusFile& file);
void read_remote_reads(const YamlValue& list, PrometheusFile& file);

}  // namespace binnacle::app
