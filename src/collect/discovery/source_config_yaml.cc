#include "collect/discovery/source_config_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "collect/discovery/kubernetes_config_yaml.h"
#include "collect/discovery/target_groups.h"
#include "net/http_config_yaml.h"

namespace binnacle::collect::discovery {
namespace {

// Prometheus' other mechanisms: known, so that a file with them is no riddle, but without effect.
constexpr std::string_view kForeign[] = {
    "aws",       "azure",       "consul",   "digitalocean", "docker",  "dockerswarm", "ec2",
    "ecs",       "elasticache", "eureka",   "gce",          "hetzner", "ionos",       "kuma",
    "lightsail", "linode",      "marathon", "msk",          "nerve",   "nomad",       "oci",
    "openstack", "outscale",    "ovhcloud", "puppetdb",     "rds",     "scaleway",    "serverset",
    "stackit",   "triton",      "uyuni",    "vultr"};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

void check_interval(const YamlMap& map, int64_t interval_ms) {
  if (interval_ms <= 0) map.value().problem("refresh_interval is 0: write it like 30s");
}

bool is_file_pattern(const std::string& path) {
  const size_t dot = path.rfind('.');
  const size_t star = path.find('*');
  if (dot == std::string::npos) return false;
  const std::string ending = upper(path.substr(dot + 1));
  if (ending != "JSON" && ending != "YML" && ending != "YAML") return false;
  return star == std::string::npos || (path.find('/', star) == std::string::npos &&
                                       path.find('*', star + 1) == std::string::npos);
}

FileSdConfig read_file_sd(const YamlValue& value) {
  YamlMap map(value);
  FileSdConfig config;
  map.read("files", config.files);
  map.duration("refresh_interval", config.refresh_interval_ms);
  map.finish();
  check_interval(map, config.refresh_interval_ms);
  if (config.files.empty()) value.problem("files is missing: name at least one");
  for (std::string& file : config.files) {
    if (!is_file_pattern(file)) {
      value.problem("not fit for file discovery", file,
                    "the name ends in .json, .yml or .yaml and may have one * in its last part");
    }
    file = value.document().resolve(file);
  }
  return config;
}

HttpSdConfig read_http_sd(const YamlValue& value) {
  YamlMap map(value);
  HttpSdConfig config;
  config.http = net::read_http_config(map);
  map.duration("refresh_interval", config.refresh_interval_ms);
  map.read("url", config.url);
  map.finish();
  check_interval(map, config.refresh_interval_ms);
  if (config.url.empty()) {
    value.problem("url is missing");
  } else {
    net::check_url(value, config.url);
  }
  return config;
}

DnsSdConfig read_dns_sd(const YamlValue& value) {
  YamlMap map(value);
  DnsSdConfig config;
  map.read("names", config.names);
  map.duration("refresh_interval", config.refresh_interval_ms);
  map.read("type", config.type);
  uint64_t port = 0;
  map.read("port", port);
  map.finish();
  check_interval(map, config.refresh_interval_ms);
  if (config.names.empty()) value.problem("names is missing: name at least one");
  constexpr std::array<std::string_view, 5> kTypes = {"SRV", "A", "AAAA", "MX", "NS"};
  const std::string written = config.type;
  config.type = upper(config.type);
  if (std::ranges::find(kTypes, config.type) == kTypes.end()) {
    value.problem("unknown record type", written,
                  fmt::format("one of {}", fmt::join(kTypes, ", ")));
  } else if (config.type != "SRV" && port == 0) {
    value.problem("port is missing: only SRV records bring their own");
  }
  if (port > 65'535) value.problem("no port", std::to_string(port), "at most 65535");
  config.port = static_cast<uint16_t>(port);
  return config;
}

std::string key_of(const std::string& mechanism, const YamlValue& value) {
  return mechanism + "\n" + value.document().resolve(".") + "\n" + value.canonical_text();
}

// One source for each entry of `<mechanism>_sd_configs`.
template <typename Read>
void read_list(YamlMap& map, const std::string& mechanism, Read read,
               std::vector<SourceConfig>& sources) {
  const auto list = map.field(mechanism + "_sd_configs");
  if (!list) return;
  for (const YamlValue& entry : list->items()) {
    if (entry.is_null()) {
      entry.problem("empty entry: fill it in or remove it");
    } else {
      sources.push_back({mechanism, key_of(mechanism, entry), read(entry)});
    }
  }
}

}  // namespace

std::vector<SourceConfig> read_sources(YamlMap& map) {
  std::vector<SourceConfig> sources;
  if (const auto list = map.field("static_configs")) {
    sources.push_back(
        {"static", key_of("static", *list), StaticConfig{read_target_groups(*list, "")}});
  }
  read_list(map, "file", read_file_sd, sources);
  read_list(map, "http", read_http_sd, sources);
  read_list(map, "dns", read_dns_sd, sources);
  read_list(map, "kubernetes", read_kubernetes_sd, sources);
  for (const std::string_view name : kForeign) {
    map.unused(fmt::format("{}_sd_configs", name),
               "has no effect: this mechanism does not exist here; http_sd_configs or "
               "file_sd_configs can take its place");
  }
  return sources;
}

void check_static_targets(const YamlMap& map, const std::vector<SourceConfig>& sources) {
  for (const SourceConfig& source : sources) {
    const auto* fixed = std::get_if<StaticConfig>(&source.config);
    if (fixed == nullptr) continue;
    for (const auto& group : fixed->groups) {
      for (const auto& target : group.targets) {
        const std::string_view address = target.get("__address__");
        if (address.find('/') == std::string_view::npos) continue;
        map.value().problem("static target is no host and port", address,
                            "write host:port; scheme and path have fields of their own");
      }
    }
  }
}

}  // namespace binnacle::collect::discovery
