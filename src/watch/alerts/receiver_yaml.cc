#include "watch/alerts/receiver_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "net/http_config_yaml.h"
#include "watch/alerts/alert_extensions.h"
#include "watch/alerts/integration_yaml.h"

namespace binnacle::watch::alerts {
namespace {

Integration read_integration(const YamlValue& value, const IntegrationKind& kind,
                             const GlobalSettings& global) {
  YamlMap map(value);
  Integration out;
  out.kind = std::string(kind.name);
  out.send_resolved = kind.send_resolved;
  map.read("send_resolved", out.send_resolved);
  if (kind.http) {
    out.http = global.http;
    if (const auto http = map.field("http_config")) {
      YamlMap fields(*http);
      out.http = net::read_http_config(fields);
      fields.finish();
    }
  }
  kind.read(map, global, out);
  map.finish();
  return out;
}

void read_kind(YamlMap& map, const IntegrationKind& kind, const GlobalSettings& global,
               Receiver& out) {
  const auto list = map.field(fmt::format("{}_configs", kind.name));
  if (!list) return;
  size_t index = 0;
  for (const YamlValue& item : list->items()) {
    out.integrations.push_back(read_integration(item, kind, global));
    out.integrations.back().index = index++;
  }
}

void refuse_missing_kinds(YamlMap& map) {
  std::string there;
  for (const IntegrationKind& kind : integration_kinds()) there += fmt::format("{}, ", kind.name);
  for (const std::string_view kind : missing_integration_kinds()) {
    const auto list = map.field(fmt::format("{}_configs", kind));
    if (!list || list->items().empty()) continue;
    list->problem(
        fmt::format("receivers of kind {} are not here: there are {}exec; a webhook can "
                    "feed what speaks to it",
                    kind, there));
  }
}

void read_labels(YamlMap& map, Receiver& out) {
  map.read("labels", out.labels);
  const auto named =
      std::ranges::find(out.labels, "name", [](const auto& pair) { return pair.first; });
  if (named == out.labels.end()) {
    out.labels.emplace_back("name", out.name);
  } else if (named->second != out.name) {
    map.field("labels")->problem("the label `name` is the receiver's name", named->second,
                                 "remove it");
  }
  std::ranges::sort(out.labels);
}

Receiver read_receiver(const YamlValue& value, const GlobalSettings& global) {
  YamlMap map(value);
  Receiver out;
  map.read("name", out.name);
  if (out.name.empty()) value.problem("name is missing");
  read_labels(map, out);
  for (const IntegrationKind& kind : integration_kinds()) read_kind(map, kind, global, out);
  refuse_missing_kinds(map);
  if (const auto extension = map.field(kExtensionKey)) {
    YamlMap fields(*extension);
    read_receiver_extension(fields, out);
    fields.finish();
  }
  map.finish();
  return out;
}

}  // namespace

std::map<std::string, Receiver, std::less<>> read_receivers(const YamlValue& list,
                                                            const GlobalSettings& global) {
  std::map<std::string, Receiver, std::less<>> out;
  for (const YamlValue& item : list.items()) {
    Receiver one = read_receiver(item, global);
    const std::string name = one.name;
    if (name.empty()) continue;
    if (!out.try_emplace(name, std::move(one)).second) {
      item.problem("two receivers have this name", name, "rename one");
    }
  }
  return out;
}

}  // namespace binnacle::watch::alerts
