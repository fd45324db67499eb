// The fields of Prometheus' `http_config`, which stand inside the maps that use them
// (scrape_configs, http_sd_configs, remote_write, ...). Pure.
#pragma once

#include "base/yaml_reader.h"
#include "net/http_client_config.h"

#include <string>
#include <string_view>

namespace binnacle::net {

// Takes its fields out of `map`, which the caller reads on and finishes. Paths of files are
// resolved. What breaks a rule is a problem of the map's document.
HttpClientConfig read_http_config(YamlMap& map);

// A `tls_config` map.
TlsClientOptions read_tls_config(const YamlValue& value);

// True for the fields that read_http_config() takes.
bool is_http_config_field(std::string_view name);

// A problem when `name` is a header that the configuration of a peer must not set.
void check_header_name(const YamlValue& at, std::string_view name);

// An http:// or https:// URL with a host; a problem otherwise.
void check_url(const YamlValue& at, std::string_view url);

}  // namespace binnacle::net
