// The `address` of a check that speaks a protocol of its own, read from its settings.
#pragma once

#include "base/yaml_reader.h"
#include "net/dial.h"

namespace binnacle::watch::health {

// `fallback`: the port of an address that names none; 0: it must name one.
inline net::HostPort read_address(YamlMap& map, uint16_t fallback = 0) {
  std::string text;
  map.read("address", text);
  if (text.empty()) {
    map.value().problem("address is missing: write host:port");
    return {};
  }
  const bool bare = text.find(':') == std::string::npos || text.ends_with(']');
  if (bare && fallback != 0) text += ":" + std::to_string(fallback);
  auto address = net::parse_host_port(text);
  if (!address) {
    map.field("address")->problem(address.error().message);
    return {};
  }
  return std::move(*address);
}

}  // namespace binnacle::watch::health
